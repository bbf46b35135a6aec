//! The network's table `drand_cache`: signatures of the beacon.

use super::{Ledger, LedgerError, schema};
use rusqlite::OptionalExtension;

const DOING: &str = "the table drand_cache";

impl Ledger {
    /// The stored signature of a round; `None` if there is none, or what is there has not 48 bytes.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn signature(&self, round: u64) -> Result<Option<[u8; 48]>, LedgerError> {
        let Ok(round) = i64::try_from(round) else { return Ok(None) };
        if !schema::has_table(&self.conn, &self.path, "drand_cache")? {
            return Ok(None);
        }
        let fail = |e| LedgerError::sqlite(&self.path, DOING, e);
        let sql = "SELECT signature FROM drand_cache WHERE round = ?1 AND typeof(signature) = 'blob'";
        let mut query = self.conn.prepare_cached(sql).map_err(fail)?;
        let found: Option<Vec<u8>> = query.query_row([round], |row| row.get(0)).optional().map_err(fail)?;
        Ok(found.and_then(|bytes| bytes.try_into().ok()))
    }

    /// Stores signatures, which must have been verified, in one transaction. One that is stored already is replaced.
    ///
    /// # Errors
    /// If the file cannot be written; nothing is stored then.
    pub fn store_signatures(&mut self, signatures: &[(u64, [u8; 48])]) -> Result<(), LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, DOING, e);
        let tx = self.conn.transaction().map_err(fail)?;
        {
            let sql = "INSERT OR REPLACE INTO drand_cache (round, signature) VALUES (?1, ?2)";
            let mut insert = tx.prepare_cached(sql).map_err(fail)?;
            for (round, signature) in signatures {
                // No beacon gets to rounds that SQLite cannot hold.
                let Ok(round) = i64::try_from(*round) else { continue };
                insert.execute((round, signature.as_slice())).map_err(fail)?;
            }
        }
        tx.commit().map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.signature(1).unwrap(), None);
        ledger.store_signatures(&[(1, [1; 48]), (u64::MAX, [9; 48]), (7, [7; 48])]).unwrap();
        ledger.store_signatures(&[(1, [2; 48])]).unwrap();
        assert_eq!(ledger.signature(1).unwrap(), Some([2; 48]));
        assert_eq!(ledger.signature(7).unwrap(), Some([7; 48]));
        assert_eq!(ledger.signature(u64::MAX).unwrap(), None);
        let broken = "INSERT INTO drand_cache VALUES (2, x'00'), (3, 'text'), (4, NULL)";
        ledger.raw().execute_batch(broken).unwrap();
        assert_eq!([2, 3, 4].map(|round| ledger.signature(round).unwrap()), [None; 3]);
    }
}
