//! Forgetting what is too old to count.

use super::{Ledger, LedgerError, held};
use mantis_config::{Block, Sidx};
use rusqlite::TransactionBehavior;
use std::collections::BTreeMap;

/// Up to where a ledger is emptied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    /// Blocks below this one go.
    pub block: Block,
    /// `sidx` below this one go.
    pub sidx: Sidx,
    /// Tickers whose rows go from an earlier `sidx` on only.
    pub longer: BTreeMap<String, Sidx>,
    /// Rounds of the beacon below this one go.
    pub round: u64,
}

impl Ledger {
    /// Removes what lies before a horizon, at most about `limit` rows of each table in one transaction, so that a
    /// ledger long neglected does not hold up a step. Gives how many rows went: 0 when nothing is left to remove. The
    /// pages that become free are used again, or [given back](Ledger::give_back).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn prune(&mut self, before: &Horizon, limit: u32) -> Result<usize, LedgerError> {
        let tickers = self.tickers()?;
        let path = &self.path;
        let fail = |e| LedgerError::sqlite(path, "removing old rows", e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let Horizon { block, sidx, longer, round } = before;
        let round = i64::try_from(*round).unwrap_or(i64::MAX);
        let mut removed = 0;
        for ticker in &tickers {
            let sidx = longer.get(&ticker.ticker).map_or(*sidx, |longer| *sidx.min(longer));
            let sql = "DELETE FROM main.challenge_data WHERE rowid IN (
                SELECT rowid FROM main.challenge_data WHERE ticker = ?1 AND sidx < ?2 ORDER BY sidx LIMIT ?3)";
            removed += tx.execute(sql, (&ticker.ticker, sidx.0, limit)).map_err(fail)?;
            // Those of rows that are gone, however many that was.
            let sql = "DELETE FROM host_sums WHERE ticker = ?1 AND sidx < (
                SELECT COALESCE(MIN(sidx), ?2) FROM main.challenge_data WHERE ticker = ?1)";
            tx.execute(sql, (&ticker.ticker, sidx.0)).map_err(fail)?;
        }
        let sql = "DELETE FROM host_doubtful_prices WHERE sidx < ?1";
        removed += tx.execute(sql, [sidx.0]).map_err(fail)?;
        tx.execute("DELETE FROM host_fetched WHERE sidx < ?1", [sidx.0]).map_err(fail)?;
        // Payloads first: they are found by the block that goes with them.
        let payloads = "rowid IN (SELECT rowid FROM raw_payloads WHERE ts < (
            SELECT COALESCE(MIN(idx), 9223372036854775807) FROM blocks WHERE block >= ?1) ORDER BY ts, hotkey LIMIT ?2)";
        removed += held::drop_payloads(&tx, payloads, (block.0, limit)).map_err(fail)?;
        for sql in [
            "DELETE FROM blocks WHERE idx IN (SELECT idx FROM blocks WHERE block < ?1
                AND NOT EXISTS (SELECT 1 FROM raw_payloads WHERE ts = idx) ORDER BY block LIMIT ?2)",
            "DELETE FROM host_waiting WHERE ts < (
                SELECT COALESCE(MIN(idx), 9223372036854775807) FROM blocks WHERE block >= ?1) AND ?2 > 0",
            "DELETE FROM host_openings WHERE ts < (
                SELECT COALESCE(MIN(idx), 9223372036854775807) FROM blocks WHERE block >= ?1) AND ?2 > 0",
            "DELETE FROM host_cycles WHERE block IN (SELECT block FROM host_cycles WHERE block < ?1 LIMIT ?2)",
            "DELETE FROM host_made WHERE block IN (SELECT block FROM host_made WHERE block < ?1 LIMIT ?2)",
            "DELETE FROM host_runs WHERE block IN (
                SELECT DISTINCT block FROM host_runs WHERE block < ?1 ORDER BY block LIMIT 1 + ?2 / 10)",
            "DELETE FROM host_burns WHERE block < ?1 AND ?2 > 0",
            "DELETE FROM host_agreement WHERE block < ?1 AND ?2 > 0",
            "DELETE FROM host_challenges WHERE block IN (
                SELECT DISTINCT block FROM host_challenges WHERE block < ?1 ORDER BY block LIMIT 1 + ?2 / 10)",
            "DELETE FROM host_reasons WHERE block IN (
                SELECT DISTINCT block FROM host_reasons WHERE block < ?1 ORDER BY block LIMIT 1 + ?2 / 1000)",
            "DELETE FROM host_saliences WHERE block IN (
                SELECT DISTINCT block FROM host_saliences WHERE block < ?1 ORDER BY block LIMIT 1 + ?2 / 1000)",
            "DELETE FROM host_steps WHERE block IN (
                SELECT DISTINCT block FROM host_steps WHERE block < ?1 ORDER BY block LIMIT 1 + ?2 / 1000)",
            "DELETE FROM host_weight_history WHERE id IN (
                SELECT id FROM host_weight_history WHERE block < ?1 LIMIT ?2)",
            "DELETE FROM host_rejections WHERE last_block < ?1 AND ?2 > 0",
            "DELETE FROM host_miners WHERE last_block < ?1 AND ?2 > 0",
        ] {
            removed += tx.execute(sql, (block.0, limit)).map_err(fail)?;
        }
        let sql = "DELETE FROM drand_cache WHERE round IN (
            SELECT round FROM drand_cache WHERE round < ?1 ORDER BY round LIMIT ?2)";
        removed += tx.execute(sql, (round, limit)).map_err(fail)?;
        tx.commit().map_err(fail)?;
        Ok(removed)
    }

    /// Gives free pages back to the disk, at most so many bytes of them, and keeps [`SPARE`] for what comes next. Gives how
    /// many bytes went. A file that was not made by this version has none to give back, until it is rewritten by
    /// `PRAGMA auto_vacuum = INCREMENTAL; VACUUM`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn give_back(&mut self, most: u64) -> Result<u64, LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, "giving back free pages", e);
        let number = |name: &str| -> rusqlite::Result<u64> {
            self.conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
        };
        let (page, free) = (number("page_size").map_err(fail)?, number("freelist_count").map_err(fail)?);
        let pages = free.saturating_sub(SPARE / page).min(most / page);
        if pages == 0 {
            return Ok(0);
        }
        {
            // A page for each row of the answer.
            let mut vacuum =
                self.conn.prepare(&format!("PRAGMA incremental_vacuum({pages})")).map_err(fail)?;
            let mut rows = vacuum.query([]).map_err(fail)?;
            while rows.next().map_err(fail)?.is_some() {}
        }
        let left = number("freelist_count").map_err(fail)?;
        Ok(free.saturating_sub(left) * page)
    }
}

/// Bytes of free pages that stay in the file: what some rows of payloads take.
pub const SPARE: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, Arrival, NewRow, Sample, SampledBlock};

    fn everything() -> Horizon {
        Horizon { block: Block(1000), sidx: Sidx(200), round: 1000, ..Horizon::default() }
    }

    fn sample(k: i64) -> Sample {
        let record = |ticker: &str| NewRow { ticker: ticker.into(), price: Some(1.0), ..NewRow::default() };
        let accepted = Accepted { payload: b"x".to_vec(), sha256: [0; 32], round: 1, early: false };
        Sample {
            step: SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![record("A"), record("B")] },
            arrivals: vec![Arrival { hotkey: "a".into(), accepted: Some(accepted) }],
            rejections: Vec::new(),
            doubtful: Vec::new(),
        }
    }

    #[test]
    fn what_is_free_is_given_back_but_for_a_reserve() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let large = |k: i64| {
            let mut sample = sample(k);
            sample.arrivals[0].accepted.as_mut().unwrap().payload = vec![1; 10 << 20];
            sample
        };
        for k in 0..12 {
            ledger.sample(&large(k)).unwrap();
        }
        let pages = |ledger: &Ledger| -> i64 {
            ledger.raw().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
        };
        let before = pages(&ledger);
        while ledger.prune(&everything(), 100).unwrap() > 0 {}
        assert_eq!(ledger.give_back(10 << 20).unwrap(), 10 << 20, "no more at once than is asked for");
        assert!(ledger.give_back(1 << 30).unwrap() >= 40 << 20);
        assert_eq!(ledger.give_back(1 << 30).unwrap(), 0, "the reserve stays");
        assert!((before - pages(&ledger)) * 4096 >= 50 << 20);
        ledger.check_integrity().unwrap();
    }

    #[test]
    fn only_what_is_old_goes_and_not_all_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for k in 0..20 {
            ledger.sample(&sample(k)).unwrap();
        }
        let signatures: Vec<_> = (0..20).map(|round| (round, [1; 48])).collect();
        ledger.store_signatures(&signatures).unwrap();
        let before = Horizon { block: Block(50), sidx: Sidx(10), round: 10, ..Horizon::default() };
        assert!(ledger.prune(&before, 4).unwrap() > 0);
        assert_eq!(ledger.tickers().unwrap()[0].sidx, Some((Sidx(4), Sidx(19))));
        while ledger.prune(&before, 4).unwrap() > 0 {}
        for ticker in ledger.tickers().unwrap() {
            assert_eq!((ticker.rows, ticker.sidx), (10, Some((Sidx(10), Sidx(19)))));
        }
        assert_eq!(ledger.blocks().unwrap(), (10..20).map(|k| Block(5 * k)).collect::<Vec<_>>());
        assert_eq!(ledger.pending().unwrap().first().map(|p| (p.ts, p.block.0)), Some((10, 50)));
        assert_eq!((ledger.signature(9).unwrap(), ledger.signature(10).unwrap()), (None, Some([1; 48])));
        // What comes next goes on counting.
        ledger.sample(&sample(20)).unwrap();
        assert_eq!(ledger.pending().unwrap().last().map(|p| (p.ts, p.block.0)), Some((20, 100)));
        // All of it may go.
        while ledger.prune(&everything(), 100).unwrap() > 0 {}
        assert_eq!(ledger.last_block().unwrap(), None);
    }
}
