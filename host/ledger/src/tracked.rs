//! Live states: the network's table `breakout_state`, and our own `host_tracked` with how far it has come.

use super::{Ledger, LedgerError, schema};
use mantis_config::{Block, Sidx};
use rusqlite::{OptionalExtension, TransactionBehavior};
use std::collections::BTreeMap;

impl Ledger {
    /// The `sidx` of the last row that a ticker's live states have taken in; `None` if there was none yet.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn tracked(&self, ticker: &str) -> Result<Option<Sidx>, LedgerError> {
        if !schema::has_table(&self.conn, &self.path, "host_tracked")? {
            return Ok(None);
        }
        self.conn
            .prepare_cached("SELECT sidx FROM host_tracked WHERE ticker = ?1")
            .and_then(|mut query| query.query_row([ticker], |row| row.get(0).map(Sidx)).optional())
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_tracked", e))
    }

    /// The oldest block with payloads that wait to be opened together; `None` if none waits.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn first_pending(&self) -> Result<Option<Block>, LedgerError> {
        let sql = format!("{} LIMIT 1", self.pending_sql()?);
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut query| query.query_row([], |row| row.get(1).map(Block)).optional())
            .map_err(|e| LedgerError::sqlite(&self.path, "the table raw_payloads", e))
    }

    /// Stores live states (text by asset) that have taken in a ticker's rows up to `sidx`, wholly or not at all. The
    /// states of other assets stay.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_states(
        &mut self,
        ticker: &str,
        sidx: Sidx,
        states: &BTreeMap<String, String>,
    ) -> Result<(), LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, format!("storing the live states of {ticker}"), e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        {
            let sql = "INSERT INTO breakout_state (asset, state_json) VALUES (?1, ?2)
                ON CONFLICT (asset) DO UPDATE SET state_json = excluded.state_json";
            let mut store = tx.prepare_cached(sql).map_err(fail)?;
            for state in states {
                store.execute(state).map_err(fail)?;
            }
        }
        let sql = "INSERT INTO host_tracked (ticker, sidx) VALUES (?1, ?2)
            ON CONFLICT (ticker) DO UPDATE SET sidx = excluded.sidx";
        tx.execute(sql, (ticker, sidx.0)).map_err(fail)?;
        tx.commit().map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_how_far_they_are_change_together() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.tracked("A").unwrap(), None);
        let states = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(asset, text)| (asset.to_string(), text.to_string())).collect()
        };
        ledger.store_states("A", Sidx(60), &states(&[("BTC", "one"), ("ETH", "one")])).unwrap();
        ledger.store_states("A", Sidx(120), &states(&[("BTC", "two")])).unwrap();
        ledger.store_states("B", Sidx(60), &states(&[])).unwrap();
        assert_eq!(
            (ledger.tracked("A").unwrap(), ledger.tracked("B").unwrap()),
            (Some(Sidx(120)), Some(Sidx(60)))
        );
        let expected = [("BTC", "two"), ("ETH", "one")].map(|(a, b)| (a.to_string(), b.to_string()));
        assert_eq!(ledger.breakout_state().unwrap(), expected);

        ledger.raw().set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true).unwrap();
        ledger
            .raw()
            .execute_batch(
                "CREATE TRIGGER full BEFORE UPDATE ON host_tracked BEGIN SELECT RAISE(ABORT, 'full'); END",
            )
            .unwrap();
        ledger.store_states("A", Sidx(180), &states(&[("BTC", "three")])).unwrap_err();
        assert_eq!(ledger.breakout_state().unwrap(), expected);
        assert_eq!(ledger.tracked("A").unwrap(), Some(Sidx(120)));
    }
}
