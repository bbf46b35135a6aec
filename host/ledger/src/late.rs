//! Maturing late: a payload that waited alone comes to those of its block.

use super::append::{AppendError, replace_vectors};
use super::blob::{Decoder, Length};
use super::rejections::reject;
use super::{Ledger, LedgerError, Matured, Vector, held, sums};
use mantis_config::Sidx;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

impl Ledger {
    /// Stores what has become of a payload that waited alone, beside what the others of its block have become, and drops
    /// it, wholly or not at all. A hotkey that has a vector keeps it.
    ///
    /// # Errors
    /// As [`Ledger::mature`].
    pub fn mature_delayed(&mut self, hotkey: &str, matured: &Matured) -> Result<(), LedgerError> {
        let (path, block) = (&self.path, matured.block);
        let fail = |e| LedgerError::sqlite(path, format!("storing a vector of block {block}"), e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        write(&tx, hotkey, matured).map_err(|refused| refused.of_block(path, block))?;
        tx.commit().map_err(fail)
    }
}

fn write(tx: &Connection, hotkey: &str, matured: &Matured) -> Result<(), AppendError> {
    for (ticker, vectors) in &matured.vectors {
        for (_, vector) in vectors.iter().filter(|(of, vector)| of == hotkey && vector.is_present()) {
            add(tx, ticker, matured.sidx, hotkey, vector)?;
        }
    }
    if matured.opened.contains(hotkey) {
        tx.prepare_cached("UPDATE host_miners SET opened = opened + 1 WHERE hotkey = ?1")?
            .execute([hotkey])?;
    }
    for rejection in &matured.rejections {
        reject(tx, matured.block, rejection)?;
    }
    held::drop_payloads(tx, "ts = ?1 AND hotkey = ?2", (matured.ts, hotkey))?;
    for sql in [
        "DELETE FROM host_waiting WHERE ts = ?1 AND hotkey = ?2",
        "DELETE FROM host_openings WHERE ts = ?1 AND hotkey = ?2",
    ] {
        tx.prepare_cached(sql)?.execute((matured.ts, hotkey))?;
    }
    Ok(())
}

/// Adds a vector to a row that others are in. A row that is not there, or cannot be read, stays as it is.
fn add(tx: &Connection, ticker: &str, sidx: Sidx, hotkey: &str, vector: &Vector) -> Result<(), AppendError> {
    let stored: Option<Vec<u8>> = tx
        .prepare_cached("SELECT embeddings FROM challenge_data WHERE ticker = ?1 AND sidx = ?2")?
        .query_row((ticker, sidx.0), |row| row.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(()) };
    // With another vector in it, what is damaged would pass for sound.
    if !sums::are_sound(tx, ticker, sidx.0, &stored)? {
        return Ok(());
    }
    let mut decoder = Decoder::default();
    let Ok(there) = decoder.decode(&stored, Length::Any(None)) else { return Ok(()) };
    let mut all: Vec<(&str, Vector)> = Vec::with_capacity(there.len() + 1);
    all.extend(there.iter().map(|(name, numbers)| (name, Vector::from_bytes(numbers, vector.storage()))));
    // Assets are only ever appended: what the row has no room for belongs to those that came since.
    let length = all.first().map_or(vector.len(), |(_, other)| other.len());
    let Some(vector) = vector.first(length) else { return Ok(()) };
    if all.iter().any(|(name, _)| *name == hotkey) {
        return Ok(());
    }
    all.push((hotkey, vector));
    all.sort_by_key(|(name, _)| *name);
    let vectors: Vec<(&str, &Vector)> = all.iter().map(|(name, vector)| (*name, vector)).collect();
    replace_vectors(tx, ticker, sidx, &vectors)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, Arrival, Delayed, Horizon, NewRow, Row, Sample, SampledBlock};
    use mantis_config::Block;
    use mantis_plugin_api::Storage;
    use std::ops::ControlFlow;

    fn sample(block: i64) -> Sample {
        let arrival = |hotkey: &str| Arrival {
            hotkey: hotkey.into(),
            accepted: Some(Accepted {
                payload: hotkey.as_bytes().to_vec(),
                sha256: [1; 32],
                round: 7,
                early: false,
            }),
        };
        let row = NewRow { ticker: "A".into(), dim: 2, price: Some(1.0), ..NewRow::default() };
        Sample {
            step: SampledBlock { block: Block(block), sidx: Block(block).sidx(5), rows: vec![row] },
            arrivals: ["a", "b", "c"].map(arrival).into(),
            ..Sample::default()
        }
    }

    fn matured(ts: i64, block: i64, hotkeys: &[&str], numbers: &[f32]) -> Matured {
        let vector = Vector::new(numbers, Storage::F16);
        let vectors = hotkeys.iter().map(|hotkey| (hotkey.to_string(), vector.clone())).collect();
        Matured {
            ts,
            block: Block(block),
            sidx: Block(block).sidx(5),
            vectors: [("A".to_string(), vectors)].into(),
            opened: hotkeys.iter().map(|hotkey| hotkey.to_string()).collect(),
            ..Matured::default()
        }
    }

    fn stored(ledger: &Ledger) -> Vec<(i64, String)> {
        let mut stored = Vec::new();
        let each = |row: Row<'_>| {
            stored.extend(row.submissions.iter().map(|(hotkey, _)| (row.sidx.0, hotkey.to_owned())));
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        };
        ledger.rows("A", Sidx(0)..=Sidx(100), 2, each).unwrap();
        stored
    }

    #[test]
    fn one_payload_waits_and_its_block_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        ledger.sample(&sample(5)).unwrap();
        ledger.sample(&sample(10)).unwrap();
        let delayed = Delayed { ts: 0, block: Block(5), hotkey: "b".into(), round: 7, since: 1000 };
        let first = Matured { delayed: vec![delayed.clone()], ..matured(0, 5, &["a", "c"], &[0.5, 1.0]) };
        ledger.mature(&first).unwrap();
        assert_eq!(ledger.delayed_of_round(7).unwrap(), std::slice::from_ref(&delayed));
        assert_eq!(
            (ledger.delayed_since(1000).unwrap(), ledger.delayed_since(999).unwrap()),
            (vec![delayed], vec![])
        );
        let rounds = |newest: u64| ledger.delayed_rounds(newest).unwrap();
        assert_eq!((rounds(6), rounds(7)), ([].into(), [7].into()));
        assert_eq!(ledger.pending().unwrap().iter().map(|p| p.ts).collect::<Vec<_>>(), [1]);
        assert_eq!(ledger.first_pending().unwrap(), Some(Block(10)));
        assert_eq!(ledger.payload_sizes(0).unwrap(), []);
        assert_eq!(ledger.payload(0, "b").unwrap().as_deref(), Some(&b"b"[..]));
        assert_eq!(ledger.payload(0, "a").unwrap(), None);

        // It comes with an asset more than its row has room for.
        ledger.mature_delayed("b", &matured(0, 5, &["b"], &[0.25, 0.75, 9.0])).unwrap();
        assert_eq!(stored(&ledger), [(1, "a".into()), (1, "b".into()), (1, "c".into())]);
        assert_eq!((ledger.delayed().unwrap(), ledger.payload(0, "b").unwrap()), (0, None));
        // A block of which all wait has room for each.
        let all = ["a", "b", "c"].map(|hotkey| Delayed {
            ts: 1,
            block: Block(10),
            hotkey: hotkey.into(),
            round: 7,
            since: 0,
        });
        ledger.mature(&Matured { delayed: all.into(), ..matured(1, 10, &[], &[]) }).unwrap();
        assert_eq!(ledger.pending().unwrap(), []);
        ledger.mature_delayed("c", &matured(1, 10, &["c"], &[0.25, 0.75])).unwrap();
        assert_eq!(stored(&ledger)[3..], [(2, "c".into())]);
        // What is forgotten leaves nothing behind.
        let all = Horizon { block: Block(1000), sidx: Sidx(200), round: 1000, ..Horizon::default() };
        while ledger.prune(&all, 100).unwrap() > 0 {}
        assert_eq!((ledger.delayed().unwrap(), ledger.last_block().unwrap()), (0, None));
    }
}
