//! How our weights stood with those of other validators, whenever that was looked at: `host_agreement`.

use super::{Ledger, LedgerError};
use mantis_config::Block;

/// How our weights stood with those of other validators at a block.
#[derive(Clone, Debug, PartialEq)]
pub struct AgreementRecord {
    /// The chain's block.
    pub block: Block,
    /// When it was looked at, Unix seconds.
    pub unix: u64,
    /// How far our newest weights were from the consensus, 0 to 2; `None` where there was none.
    pub distance: Option<f64>,
    /// What of them was not clipped, 0 to 1.
    pub validator_trust: f64,
    /// All of it, as JSON.
    pub document: String,
}

const TABLE: &str = "host_agreement";

impl Ledger {
    /// Records how weights stand. What was recorded for the same block is replaced.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_agreement(&mut self, record: &AgreementRecord) -> Result<(), LedgerError> {
        let AgreementRecord { block, unix, distance, validator_trust, document } = record;
        let sql = "INSERT OR REPLACE INTO host_agreement (block, unix, distance, validator_trust, document)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        self.conn
            .execute(sql, (block.0, unix.cast_signed(), distance, validator_trust, document))
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "writing the table host_agreement", e))
    }

    /// How weights stood when that was looked at last; `None` where it never was.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_agreement(&self) -> Result<Option<AgreementRecord>, LedgerError> {
        let sql = "SELECT block, unix, distance, validator_trust, document FROM host_agreement
            ORDER BY block DESC LIMIT 1";
        let mut records = self.record(TABLE, sql, [], |row| {
            Ok(AgreementRecord {
                block: Block(row.get(0)?),
                unix: row.get::<_, i64>(1)?.max(0).cast_unsigned(),
                distance: row.get(2)?,
                validator_trust: row.get(3)?,
                document: row.get(4)?,
            })
        })?;
        Ok(records.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.last_agreement().unwrap(), None);
        let record = |block, distance| AgreementRecord {
            block: Block(block),
            unix: 7,
            distance,
            validator_trust: 0.1 + 0.2,
            document: "{}".into(),
        };
        for (block, distance) in [(2000, None), (1000, Some(0.25)), (2000, Some(0.5))] {
            ledger.store_agreement(&record(block, distance)).unwrap();
        }
        let read = Ledger::read(ledger.path()).unwrap();
        assert_eq!(read.last_agreement().unwrap(), Some(record(2000, Some(0.5))));
    }
}
