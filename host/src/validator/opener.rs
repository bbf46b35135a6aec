//! Opening many payloads at once.

use crate::payload::{Envelope, Plaintext, Refusal};
use std::collections::BTreeMap;
use std::thread;

/// Opens payloads with the beacon's signatures, on all processors; the results are in the payloads' order.
///
/// A payload whose round has no signature in `signatures` is left out.
pub(super) fn open_all(
    envelopes: &[Envelope],
    signatures: &BTreeMap<u64, [u8; 48]>,
) -> Vec<(String, Result<Plaintext, Refusal>)> {
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
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}
