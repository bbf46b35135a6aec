//! Opening payloads, a few at a time, so that no number of them takes more memory than a few do; and so that one on which
//! the process dies is found and left out.

use super::decoders::{DecoderError, Decoders};
use mantis_ledger::{Ledger, LedgerError, Matured, Rejection, Stage};
use mantis_payload::{Envelope, EnvelopeRules, PayloadRejection, Plaintext};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of the payloads that are opened at once, unless one alone has more. Half of them are plaintext, which takes up
/// to 16 times as much once it is read.
const BATCH: usize = 2 << 20;
/// How often a payload may be under way when the process dies; the second time it is alone.
const TRIES: u32 = 2;

/// One payload that is to be opened.
#[derive(Clone, Debug)]
pub(super) struct ToOpen {
    pub(super) hotkey: String,
    /// Bytes of the payload.
    pub(super) bytes: usize,
}

/// Opens payloads of one sampled block into `matured`, by the signatures of their rounds. What is not opened for a fault of
/// a plugin comes back as a reason; then nothing of the block may be stored.
pub(super) fn open(
    ledger: &mut Ledger,
    decoders: &mut Decoders,
    rules: &EnvelopeRules,
    signatures: &BTreeMap<u64, [u8; 48]>,
    payloads: Vec<ToOpen>,
    matured: &mut Matured,
) -> Result<Result<(), DecoderError>, LedgerError> {
    let begun = ledger.openings(matured.ts)?;
    for batch in batches(payloads, &begun, matured) {
        let hotkeys = || batch.iter().map(|payload| payload.hotkey.as_str());
        ledger.begin_opening(matured.ts, hotkeys())?;
        let outcome = open_batch(ledger, decoders, rules, signatures, &batch, matured);
        // Whatever came of it, the process has lived through it.
        ledger.end_opening(matured.ts, hotkeys())?;
        if let Err(fault) = outcome? {
            return Ok(Err(fault));
        }
    }
    Ok(Ok(()))
}

/// What is opened together: what was under way when the process died is alone, and refused if it was so twice.
fn batches(payloads: Vec<ToOpen>, begun: &BTreeMap<String, u32>, matured: &mut Matured) -> Vec<Vec<ToOpen>> {
    let (mut batches, mut last, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
    for payload in payloads {
        match begun.get(&payload.hotkey) {
            None => {
                if !last.is_empty() && bytes.saturating_add(payload.bytes) > BATCH {
                    batches.push(std::mem::take(&mut last));
                    bytes = 0;
                }
                bytes = bytes.saturating_add(payload.bytes);
                last.push(payload);
            }
            Some(&tries) if tries < TRIES => batches.push(vec![payload]),
            Some(tries) => matured.rejections.push(Rejection {
                hotkey: payload.hotkey,
                stage: Stage::Open,
                ticker: String::new(),
                code: "opening_died".into(),
                detail: format!(
                    "the validator died {tries} times while it opened this payload, the last time with nothing else \
                     under way; it is not tried again: send another"
                ),
            }),
        }
    }
    if !last.is_empty() {
        batches.push(last);
    }
    batches
}

fn open_batch(
    ledger: &Ledger,
    decoders: &mut Decoders,
    rules: &EnvelopeRules,
    signatures: &BTreeMap<u64, [u8; 48]>,
    batch: &[ToOpen],
    matured: &mut Matured,
) -> Result<Result<(), DecoderError>, LedgerError> {
    let mut sealed = Vec::with_capacity(batch.len());
    for ToOpen { hotkey, .. } in batch {
        sealed.extend(ledger.payload(matured.ts, hotkey)?.map(|payload| (hotkey.as_str(), payload)));
    }
    let open = |(hotkey, payload): (&str, Vec<u8>)| {
        let opened = catch_unwind(AssertUnwindSafe(|| open_one(hotkey, payload, rules, signatures)));
        (hotkey.to_owned(), opened)
    };
    let opened: Vec<_> = sealed.into_par_iter().map(open).collect();
    let mut plaintexts = Vec::with_capacity(opened.len());
    for (hotkey, outcome) in opened {
        match outcome {
            Ok(Ok(plaintext)) => plaintexts.push((hotkey, plaintext)),
            Ok(Err((stage, refusal))) => matured.rejections.push(refused(hotkey, stage, &refusal)),
            Err(_) => matured.rejections.push(Rejection {
                hotkey,
                stage: Stage::Open,
                ticker: String::new(),
                code: "opening_failed".into(),
                detail:
                    "the validator failed while it opened this payload, which is a fault of the validator"
                        .into(),
            }),
        }
    }
    let opened: Vec<String> = plaintexts.iter().map(|(hotkey, _)| hotkey.clone()).collect();
    let vectors = match decoders.decode(plaintexts) {
        Ok(vectors) => vectors,
        Err(fault) => return Ok(Err(fault)),
    };
    matured.opened.extend(opened);
    matured.rejections.extend(vectors.rejections);
    for (ticker, vectors) in vectors.by_ticker {
        matured.vectors.entry(ticker).or_default().extend(vectors);
    }
    Ok(Ok(()))
}

fn open_one(
    hotkey: &str,
    payload: Vec<u8>,
    rules: &EnvelopeRules,
    signatures: &BTreeMap<u64, [u8; 48]>,
) -> Result<Plaintext, (Stage, PayloadRejection)> {
    let envelope = Envelope::parse(&payload, hotkey, rules).map_err(|refusal| (Stage::Parse, refusal))?;
    // What it holds is in the envelope now, half as long.
    drop(payload);
    let round = envelope.round();
    let Some(signature) = signatures.get(&round) else {
        return Err((Stage::Open, PayloadRejection::RoundTooLate { round, newest: rules.newest_round }));
    };
    envelope.open(signature).map_err(|refusal| (Stage::Open, refusal))
}

/// A refusal of a whole payload.
pub(super) fn refused(hotkey: String, stage: Stage, refusal: &PayloadRejection) -> Rejection {
    let (code, detail) = (refusal.code().into(), refusal.to_string());
    Rejection { hotkey, stage, ticker: String::new(), code, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_is_alone_and_then_left_out() {
        let payload = |(hotkey, bytes): (&str, usize)| ToOpen { hotkey: hotkey.into(), bytes };
        let payloads =
            [("a", 1 << 20), ("b", 10), ("c", 1 << 20), ("d", 1), ("e", 5 << 20), ("f", 20), ("g", 1)]
                .map(payload);
        let begun = [("b".to_owned(), 1), ("d".to_owned(), 2)].into();
        let mut matured = Matured::default();
        let batches = batches(payloads.into(), &begun, &mut matured);
        let names: Vec<String> = batches
            .iter()
            .map(|batch| batch.iter().map(|payload| payload.hotkey.as_str()).collect())
            .collect();
        assert_eq!(names, ["b", "ac", "e", "fg"]);
        let refused: Vec<_> =
            matured.rejections.iter().map(|r| (r.hotkey.as_str(), r.code.as_str())).collect();
        assert_eq!(refused, [("d", "opening_died")]);
    }
}
