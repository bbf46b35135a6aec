//! Openings that were begun and have not ended: our own table `host_openings`. What is still there at a start was under
//! way when the process died, perhaps of it.

use super::{Ledger, LedgerError};
use std::collections::BTreeMap;

const DOING: &str = "the table host_openings";

impl Ledger {
    /// How often the opening of a sampled block's payloads was begun without an end, by hotkey; only those with one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn openings(&self, ts: i64) -> Result<BTreeMap<String, u32>, LedgerError> {
        self.conn
            .prepare_cached("SELECT hotkey, tries FROM host_openings WHERE ts = ?1")
            .and_then(|mut query| query.query_map([ts], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|e| LedgerError::sqlite(&self.path, DOING, e))
    }

    /// Notes that the opening of these payloads begins, before it does: in one transaction, which a process that dies
    /// right afterwards leaves behind.
    ///
    /// # Errors
    /// If the file cannot be written; nothing is noted then.
    pub fn begin_opening<'a>(
        &mut self,
        ts: i64,
        hotkeys: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), LedgerError> {
        let sql = "INSERT INTO host_openings (ts, hotkey, tries) VALUES (?1, ?2, 1)
            ON CONFLICT DO UPDATE SET tries = tries + 1";
        self.each_opening(sql, ts, hotkeys)
    }

    /// Notes that it has ended, whatever came of it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn end_opening<'a>(
        &mut self,
        ts: i64,
        hotkeys: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), LedgerError> {
        self.each_opening("DELETE FROM host_openings WHERE ts = ?1 AND hotkey = ?2", ts, hotkeys)
    }

    fn each_opening<'a>(
        &mut self,
        sql: &str,
        ts: i64,
        hotkeys: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, DOING, e);
        let tx = self.conn.transaction().map_err(fail)?;
        {
            let mut each = tx.prepare_cached(sql).map_err(fail)?;
            for hotkey in hotkeys {
                each.execute((ts, hotkey)).map_err(fail)?;
            }
        }
        tx.commit().map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_known_after_the_process_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.begin_opening(3, ["a", "b"]).unwrap();
        ledger.begin_opening(3, ["b"]).unwrap();
        ledger.begin_opening(4, ["c"]).unwrap();
        drop(ledger);
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.openings(3).unwrap(), [("a".into(), 1), ("b".into(), 2)].into());
        ledger.end_opening(3, ["b", "nobody"]).unwrap();
        assert_eq!(ledger.openings(3).unwrap(), [("a".into(), 1)].into());
        assert_eq!(ledger.openings(5).unwrap(), BTreeMap::new());
    }
}
