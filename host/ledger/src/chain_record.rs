//! What a ledger remembers of its chain.

use super::schema::has_table;
use super::{Ledger, LedgerError};
use mantis_config::Block;
use rusqlite::OptionalExtension;

/// Up to where history was forgotten, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The first block that stayed.
    pub block: Block,
    /// Unix time of that, s.
    pub unix: u64,
    /// Days that were kept.
    pub days: u32,
}

/// What a ledger remembers of its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainRecord {
    /// Hash of its first block, `0x` and hexadecimal; chains of one machine have none.
    pub genesis: Option<String>,
    /// A head that was believed, and its Unix time, s.
    pub head: Option<(Block, u64)>,
    /// Up to where history was forgotten; `None` where it never was.
    pub pruned: Option<Pruned>,
}

const TABLE: &str = "host_chain";

impl Ledger {
    /// What it remembers of its chain.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn chain_record(&self) -> Result<ChainRecord, LedgerError> {
        if !has_table(&self.conn, &self.path, TABLE)? {
            return Ok(ChainRecord::default());
        }
        let sql = "SELECT genesis, block, unix, pruned_block, pruned_unix, pruned_days FROM host_chain";
        let read = |row: &rusqlite::Row<'_>| {
            let head: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            let pruned: (Option<i64>, Option<i64>, Option<u32>) = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok(ChainRecord {
                genesis: row.get(0)?,
                head: match head {
                    (Some(block), Some(unix)) => Some((Block(block), unix.max(0).cast_unsigned())),
                    _ => None,
                },
                pruned: match pruned {
                    (Some(block), Some(unix), Some(days)) => {
                        Some(Pruned { block: Block(block), unix: unix.max(0).cast_unsigned(), days })
                    }
                    _ => None,
                },
            })
        };
        let found = self.conn.query_row(sql, [], read).optional();
        Ok(found.map_err(|e| LedgerError::sqlite(&self.path, "the table host_chain", e))?.unwrap_or_default())
    }

    /// Remembers this of its chain.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_chain_record(&mut self, record: &ChainRecord) -> Result<(), LedgerError> {
        let signed = |unix: u64| i64::try_from(unix).unwrap_or(i64::MAX);
        let ChainRecord { genesis, head, pruned } = record;
        let sql = "INSERT OR REPLACE INTO host_chain (id, genesis, block, unix, pruned_block, pruned_unix, pruned_days)
            VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6)";
        let values = (
            genesis,
            head.map(|(block, _)| block.0),
            head.map(|(_, unix)| signed(unix)),
            pruned.map(|pruned| pruned.block.0),
            pruned.map(|pruned| signed(pruned.unix)),
            pruned.map(|pruned| pruned.days),
        );
        self.conn
            .execute(sql, values)
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_chain", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.chain_record().unwrap(), ChainRecord::default());
        let pruned = Pruned { block: Block(-5), unix: 12, days: 65 };
        for record in [
            ChainRecord { genesis: Some("0x1".into()), head: Some((Block(7), 84)), pruned: Some(pruned) },
            ChainRecord { genesis: None, head: None, pruned: Some(pruned) },
        ] {
            ledger.store_chain_record(&record).unwrap();
            assert_eq!(Ledger::read(ledger.path()).unwrap().chain_record().unwrap(), record);
        }
    }
}
