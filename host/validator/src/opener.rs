//! Opening many payloads at once.

use mantis_payload::{Envelope, PayloadRejection, Plaintext};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Opens payloads with the beacon's signatures, on all processors; the results are in the payloads' order.
///
/// A payload whose round has no signature in `signatures` is left out. `None` where opening one panicked: then none may
/// count as opened, or its neighbours would be lost.
pub(super) fn open_all(
    envelopes: &[Envelope],
    signatures: &BTreeMap<u64, [u8; 48]>,
) -> Option<Vec<(String, Result<Plaintext, PayloadRejection>)>> {
    let open = |envelope: &Envelope| {
        let signature = signatures.get(&envelope.round())?;
        Some((envelope.hotkey().to_owned(), envelope.open(signature)))
    };
    catch_unwind(AssertUnwindSafe(|| envelopes.par_iter().filter_map(open).collect())).ok()
}
