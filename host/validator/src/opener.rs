//! Opening many payloads at once.

use mantis_payload::{Envelope, Plaintext, Refusal};
use std::collections::BTreeMap;
use std::thread;

/// Opens payloads with the beacon's signatures, on all processors; the results are in the payloads' order.
///
/// A payload whose round has no signature in `signatures` is left out. `None` where opening one panicked: then none may
/// count as opened, or its neighbours would be lost.
pub(super) fn open_all(
    envelopes: &[Envelope],
    signatures: &BTreeMap<u64, [u8; 48]>,
) -> Option<Vec<(String, Result<Plaintext, Refusal>)>> {
    let open = |envelope: &Envelope| {
        let signature = signatures.get(&envelope.round())?;
        Some((envelope.hotkey().to_owned(), envelope.open(signature)))
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let part = envelopes.len().div_ceil(processors).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = envelopes
            .chunks(part)
            .map(|chunk| scope.spawn(move || chunk.iter().filter_map(open).collect::<Vec<_>>()))
            .collect();
        // All are joined before any is judged: a panic that nobody joined would go on in this thread.
        let opened: Vec<_> = parts.into_iter().map(|part| part.join().ok()).collect();
        opened.into_iter().collect::<Option<Vec<_>>>().map(|parts| parts.into_iter().flatten().collect())
    })
}
