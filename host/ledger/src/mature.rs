//! Maturing: the payloads of a sampled block become vectors.

use super::append::{AppendError, replace_vectors, sorted};
use super::delayed::{Delayed, NOT_DELAYED};
use super::rejections::{Rejection, reject};
use super::sample::NO_PAYLOAD;
use super::{Ledger, LedgerError, Vector, held};
use mantis_config::{Block, Sidx};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet};

/// A sampled block whose payloads wait to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number in the order of sampling.
    pub ts: i64,
    /// The block.
    pub block: Block,
}

/// What the payloads of one sampled block have become.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matured {
    /// Number of the sampled block in the order of sampling.
    pub ts: i64,
    /// The block.
    pub block: Block,
    /// Its index: `block / sample_every`.
    pub sidx: Sidx,
    /// Vectors by ticker and hotkey. A ticker that had no row when the block was sampled is passed over.
    pub vectors: BTreeMap<String, Vec<(String, Vector)>>,
    /// Hotkeys whose payload opened.
    pub opened: BTreeSet<String>,
    /// What was refused, and why.
    pub rejections: Vec<Rejection>,
    /// Payloads that stay, as the signature of their round is missing.
    pub delayed: Vec<Delayed>,
}

impl Ledger {
    /// Every sampled block with payloads that wait to be opened together, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pending(&self) -> Result<Vec<Pending>, LedgerError> {
        let sql = self.pending_sql()?;
        self.list("raw_payloads", &sql, |row| Ok(Pending { ts: row.get(0)?, block: Block(row.get(1)?) }))
    }

    /// The last block before all whose payloads wait to be opened together: what is stored up to there changes only where
    /// a payload was delayed. `None` if nothing waits.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn settled(&self) -> Result<Option<Block>, LedgerError> {
        let sql = format!("SELECT MIN(block) - 1 FROM ({})", self.pending_sql()?);
        self.conn
            .query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))
            .map(|block| block.map(Block))
            .map_err(|e| LedgerError::sqlite(&self.path, "raw_payloads", e))
    }

    /// What finds the blocks of [`Ledger::pending`].
    pub(super) fn pending_sql(&self) -> Result<String, LedgerError> {
        // Where a payload waits alone, the others of its block were opened.
        let but = match self.may_delay()? {
            true => "AND NOT EXISTS (SELECT 1 FROM host_waiting w WHERE w.ts = idx)",
            false => "",
        };
        // One look into the index per block, rather than one per payload.
        Ok(format!(
            "SELECT idx, block FROM blocks
            WHERE EXISTS (SELECT 1 FROM raw_payloads r WHERE r.ts = idx) {but}
                AND idx >= (SELECT MIN(ts) FROM raw_payloads)
            ORDER BY idx"
        ))
    }

    /// Who has a payload in a sampled block that waits to be opened with the others, and how many bytes it has, by
    /// hotkey.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn payload_sizes(&self, ts: i64) -> Result<Vec<(String, usize)>, LedgerError> {
        let but = if self.may_delay()? { NOT_DELAYED } else { "" };
        let sql = format!(
            "SELECT hotkey, LENGTH(CAST(payload AS BLOB)) FROM raw_payloads r
            WHERE ts = ?1 AND payload IS NOT NULL AND payload <> ?2 {but} ORDER BY hotkey"
        );
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut query| {
                let length = |row: &rusqlite::Row<'_>| {
                    Ok((row.get(0)?, usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX)))
                };
                query.query_map((ts, NO_PAYLOAD), length)?.collect()
            })
            .map_err(|e| LedgerError::sqlite(&self.path, "the table raw_payloads", e))
    }

    /// A payload that waits; `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn payload(&self, ts: i64, hotkey: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let sql = "SELECT CAST(payload AS BLOB) FROM raw_payloads
            WHERE ts = ?1 AND hotkey = ?2 AND payload IS NOT NULL";
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_row((ts, hotkey), |row| row.get(0)).optional())
            .map_err(|e| LedgerError::sqlite(&self.path, "the table raw_payloads", e))
    }

    /// Stores what the payloads of a block have become and drops the payloads but those that are delayed, wholly or not
    /// at all.
    ///
    /// # Errors
    /// [`LedgerError::SampledBlock`] where vectors do not fit the format; as [`Ledger::append`].
    pub fn mature(&mut self, matured: &Matured) -> Result<(), LedgerError> {
        let (path, block) = (&self.path, matured.block);
        let fail = |e| LedgerError::sqlite(path, format!("storing the vectors of block {block}"), e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        write(&tx, matured).map_err(|refused| refused.of_block(path, block))?;
        tx.commit().map_err(fail)
    }
}

fn write(tx: &Connection, matured: &Matured) -> Result<(), AppendError> {
    for (ticker, vectors) in &matured.vectors {
        replace_vectors(tx, ticker, matured.sidx, &sorted(ticker, vectors)?)?;
    }
    let mut count = tx.prepare_cached("UPDATE host_miners SET opened = opened + 1 WHERE hotkey = ?1")?;
    for hotkey in &matured.opened {
        count.execute([hotkey])?;
    }
    for rejection in &matured.rejections {
        reject(tx, matured.block, rejection)?;
    }
    let mut wait = tx.prepare_cached(
        "INSERT OR REPLACE INTO host_waiting (ts, hotkey, round, since) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for Delayed { hotkey, round, since, .. } in &matured.delayed {
        let round = i64::try_from(*round).unwrap_or(i64::MAX);
        wait.execute((matured.ts, hotkey, round, since.cast_signed()))?;
    }
    let opened = "ts = ?1 AND hotkey NOT IN (SELECT hotkey FROM host_waiting WHERE ts = ?1)";
    held::drop_payloads(tx, opened, [matured.ts])?;
    tx.prepare_cached("DELETE FROM host_openings WHERE ts = ?1")?.execute([matured.ts])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Accepted, Arrival, NewRow, Row, Sample, SampledBlock, Stage};
    use super::*;
    use half::f16;
    use std::ops::ControlFlow;

    fn sample(block: i64, payload: Option<&[u8]>) -> Sample {
        let record = NewRow { ticker: "A".into(), dim: 1, price: Some(1.0), ..NewRow::default() };
        let accepted = payload.map(|payload| Accepted {
            payload: payload.into(),
            sha256: [payload[0]; 32],
            round: 7,
            early: false,
        });
        let why = Rejection {
            hotkey: "b".into(),
            stage: Stage::Fetch,
            ticker: String::new(),
            code: "timeout".into(),
            detail: format!("at {block}"),
        };
        Sample {
            step: SampledBlock { block: Block(block), sidx: Block(block).sidx(5), rows: vec![record] },
            arrivals: vec![
                Arrival { hotkey: "a".into(), accepted },
                Arrival { hotkey: "b".into(), accepted: None },
            ],
            rejections: vec![why],
            doubtful: Vec::new(),
        }
    }

    #[test]
    fn a_block_is_sampled_then_matures() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for (block, payload) in [(100, &b"xyz"[..]), (105, b"xyz"), (110, b"new")] {
            ledger.sample(&sample(block, Some(payload))).unwrap();
        }
        ledger.sample(&sample(400, None)).unwrap();
        assert!(ledger.sample(&sample(400, None)).is_err());
        assert!(ledger.has_seen("a", &[b'x'; 32]).unwrap() && !ledger.has_seen("b", &[b'x'; 32]).unwrap());
        let pending = ledger.pending().unwrap();
        assert_eq!(
            pending.iter().map(|p| (p.ts, p.block.0)).collect::<Vec<_>>(),
            [(0, 100), (1, 105), (2, 110), (3, 400)]
        );
        assert_eq!(ledger.payload_sizes(1).unwrap(), [("a".to_string(), 3)]);
        assert_eq!(ledger.payload(1, "a").unwrap(), Some(b"xyz".to_vec()));
        assert_eq!(ledger.payload_sizes(3).unwrap(), []);
        assert_eq!(ledger.waiting_bytes().unwrap()["a"], 9);

        let vectors =
            [("A".to_string(), vec![("a".to_string(), vec![f16::ONE].into())]), ("new".into(), vec![])];
        let matured = Matured {
            ts: 1,
            block: Block(105),
            sidx: Sidx(21),
            vectors: vectors.into(),
            opened: ["a".into()].into(),
            ..Matured::default()
        };
        ledger.mature(&matured).unwrap();
        assert_eq!(ledger.pending().unwrap().len(), 3);
        let mut stored = Vec::new();
        let each = |row: Row<'_>| {
            stored.push((row.sidx.0, row.submissions.len()));
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        };
        ledger.rows("A", Sidx(0)..=Sidx(100), 1, each).unwrap();
        assert_eq!(stored, [(20, 0), (21, 1), (22, 0), (80, 0)]);
        let counts: (i64, i64, i64) = ledger
            .raw()
            .query_row("SELECT accepted, stale, opened FROM host_miners", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .unwrap();
        assert_eq!(counts, (3, 1, 1));
        // Three refusals in a row are one stretch; the one much later is another.
        let stretches = ledger.rejections(Some("b")).unwrap();
        let stretches: Vec<_> = stretches
            .iter()
            .map(|s| (s.first_block.0, s.last_block.0, s.times, s.last.detail.as_str()))
            .collect();
        assert_eq!(stretches, [(400, 400, 1, "at 400"), (100, 110, 3, "at 110")]);
        assert_eq!(ledger.rejections(Some("a")).unwrap(), []);
    }
}
