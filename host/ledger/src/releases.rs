//! Releases of the subnet's owner that were taken: our own table `host_releases`, a row per release.

use super::{Ledger, LedgerError};
use mantis_config::Block;

/// A release that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenRelease {
    /// Its number.
    pub number: u32,
    /// The SHA-256 of its `release.toml`.
    pub sha256: [u8; 32],
    /// The block from which on rows follow it.
    pub activate: Block,
    /// The newest block when it was taken; later than `activate` where it came late.
    pub taken: Block,
    /// When that was, Unix seconds.
    pub unix: u64,
}

const TABLE: &str = "host_releases";

impl Ledger {
    /// The releases that were taken, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn releases(&self) -> Result<Vec<TakenRelease>, LedgerError> {
        let sql = "SELECT number, sha256, activate, taken, unix FROM host_releases ORDER BY number";
        self.record(TABLE, sql, [], |row| {
            let mut sha256 = [0; 32];
            let digits: String = row.get(1)?;
            // What is no digest is that of no release, which then is not found.
            let _ = hex::decode_to_slice(digits, &mut sha256);
            Ok(TakenRelease {
                number: row.get(0)?,
                sha256,
                activate: Block(row.get(2)?),
                taken: Block(row.get(3)?),
                unix: row.get::<_, i64>(4)?.max(0).cast_unsigned(),
            })
        })
    }

    /// Keeps that a release was taken.
    ///
    /// # Errors
    /// If the file cannot be written, or the number was used before.
    pub fn store_release(&mut self, release: &TakenRelease) -> Result<(), LedgerError> {
        let TakenRelease { number, sha256, activate, taken, unix } = release;
        let sql =
            "INSERT INTO host_releases (number, sha256, activate, taken, unix) VALUES (?1, ?2, ?3, ?4, ?5)";
        let unix = i64::try_from(*unix).unwrap_or(i64::MAX);
        self.write_releases(sql, (number, hex::encode(sha256), activate.0, taken.0, unix))
    }

    /// Forgets which releases were taken: the next one that counts is taken at its word, as by a new ledger.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn forget_releases(&mut self) -> Result<(), LedgerError> {
        self.write_releases("DELETE FROM host_releases", [])
    }

    fn write_releases(&mut self, sql: &str, values: impl rusqlite::Params) -> Result<(), LedgerError> {
        let written = self.conn.execute(sql, values).map(drop);
        written.map_err(|e| LedgerError::sqlite(&self.path, "writing the table host_releases", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_read_back_in_order_and_no_number_twice() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let release = |number: u32| TakenRelease {
            number,
            sha256: [7; 32],
            activate: Block(100),
            taken: Block(130),
            unix: 12,
        };
        ledger.store_release(&release(8)).unwrap();
        ledger.store_release(&release(7)).unwrap();
        assert!(ledger.store_release(&TakenRelease { sha256: [8; 32], ..release(7) }).is_err());
        assert_eq!(Ledger::read(ledger.path()).unwrap().releases().unwrap(), [release(7), release(8)]);
        ledger.forget_releases().unwrap();
        assert_eq!(ledger.releases().unwrap(), []);
    }
}
