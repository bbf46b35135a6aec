//! Bytes of the payloads that wait, by hotkey: our own table `host_held`, which goes with every payload that comes or goes, so
//! that nobody has to read a week of payloads to know them.

use super::{Ledger, LedgerError, schema};
use rusqlite::{Connection, Params};
use std::collections::BTreeMap;

/// What is held, by the payloads themselves: for files without our table, and to fill it.
const ALL: &str =
    "SELECT hotkey, SUM(LENGTH(payload)) FROM raw_payloads WHERE LENGTH(payload) > 2 GROUP BY hotkey";

impl Ledger {
    /// Bytes of all payloads that wait, by hotkey.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn waiting_bytes(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        let kept = "SELECT hotkey, bytes FROM host_held WHERE bytes > 0";
        let has_table = schema::has_table(&self.conn, &self.path, "host_held")?;
        let sql = if has_table { kept } else { ALL };
        let bytes = self.list("raw_payloads", sql, |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        Ok(bytes.into_iter().collect())
    }
}

/// Counts a payload that has come.
pub(super) fn add(tx: &Connection, hotkey: &str, bytes: usize) -> rusqlite::Result<()> {
    let sql = "INSERT INTO host_held (hotkey, bytes) VALUES (?1, ?2)
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes";
    tx.prepare_cached(sql)?.execute((hotkey, bytes as i64)).map(drop)
}

/// Drops the payloads of `raw_payloads` that a condition names; gives how many that were. The condition must name the same
/// rows when it is asked twice.
pub(super) fn drop_payloads(
    tx: &Connection,
    condition: &str,
    params: impl Params + Clone,
) -> rusqlite::Result<usize> {
    let uncount = format!(
        "UPDATE host_held SET bytes = MAX(0, host_held.bytes - dropped.bytes) FROM (
            SELECT hotkey, SUM(LENGTH(payload)) AS bytes FROM raw_payloads
            WHERE LENGTH(payload) > 2 AND ({condition}) GROUP BY hotkey
        ) dropped WHERE dropped.hotkey = host_held.hotkey"
    );
    tx.prepare_cached(&uncount)?.execute(params.clone())?;
    tx.prepare_cached(&format!("DELETE FROM raw_payloads WHERE {condition}"))?.execute(params)
}

#[cfg(test)]
mod tests {
    use crate::{Accepted, Arrival, Delayed, Horizon, Ledger, Matured, Sample, SampledBlock};
    use mantis_config::{Block, Sidx};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn sample(block: i64, sizes: [usize; 3]) -> Sample {
        let arrival = |(hotkey, size): (&str, usize)| {
            let payload = vec![1; size + 3];
            let accepted = Accepted { payload, sha256: [size as u8; 32], round: 7, early: false };
            Arrival { hotkey: hotkey.into(), accepted: (size > 0).then_some(accepted) }
        };
        Sample {
            step: SampledBlock { block: Block(block), sidx: Block(block).sidx(5), rows: Vec::new() },
            arrivals: ["a", "b", "c"].into_iter().zip(sizes).map(arrival).collect(),
            rejections: Vec::new(),
            doubtful: Vec::new(),
        }
    }

    fn scanned(ledger: &Ledger) -> BTreeMap<String, u64> {
        let all =
            ledger.list("raw_payloads", super::ALL, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)));
        all.unwrap().into_iter().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_held_is_what_is_there(
            sizes in prop::collection::vec([0..9_usize, 0..9_usize, 0..9_usize], 6..12),
            delayed: [bool; 3],
            steps in prop::collection::vec(0..5, 1..8),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
            for (at, sizes) in sizes.iter().enumerate() {
                ledger.sample(&sample(5 * at as i64, *sizes)).unwrap();
                prop_assert_eq!(ledger.waiting_bytes().unwrap(), scanned(&ledger));
            }
            for step in steps {
                let first = ledger.pending().unwrap().first().copied();
                match (step, first) {
                    (0 | 1, Some(pending)) => {
                        let (ts, block) = (pending.ts, pending.block);
                        let alone = |hotkey: &str| Delayed { ts, block, hotkey: hotkey.into(), round: 7, since: 1 };
                        let waits = ["a", "b", "c"].into_iter().zip(delayed).filter(|(_, waits)| *waits);
                        let delayed = waits.map(|(hotkey, _)| alone(hotkey)).collect();
                        ledger.mature(&Matured { ts, block, delayed, ..Matured::default() }).unwrap();
                    }
                    (2, _) => {
                        if let Some(alone) = ledger.delayed_of_round(7).unwrap().first() {
                            let (ts, block) = (alone.ts, alone.block);
                            ledger.mature_delayed(&alone.hotkey, &Matured { ts, block, ..Matured::default() }).unwrap();
                        }
                    }
                    (3, _) => {
                        let before = Horizon { block: Block(10), sidx: Sidx(2), longer: BTreeMap::new(), round: 0 };
                        ledger.prune(&before, 2).unwrap();
                    }
                    (4, _) => drop(ledger.rewind(Block(20), 5).unwrap()),
                    _ => {}
                }
                prop_assert_eq!(ledger.waiting_bytes().unwrap(), scanned(&ledger), "after {}", step);
            }
        }
    }
}
