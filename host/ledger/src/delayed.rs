//! Payloads that wait for the signature of their round alone, after the others of their block were opened: our own
//! table `host_waiting`.

use super::{Ledger, LedgerError, schema};
use mantis_config::Block;

/// A payload that waits alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delayed {
    /// Number of its sampled block in the order of sampling.
    pub ts: i64,
    /// The block.
    pub block: Block,
    /// Who sent it.
    pub hotkey: String,
    /// The round whose signature is missing.
    pub round: u64,
    /// Unix time since when it is missing while others are there, s.
    pub since: u64,
}

/// Those payloads of `raw_payloads r` that do not wait alone; nothing where the table is not there.
pub(super) const NOT_DELAYED: &str =
    "AND NOT EXISTS (SELECT 1 FROM host_waiting w WHERE w.ts = r.ts AND w.hotkey = r.hotkey)";

impl Ledger {
    /// Every payload that waits alone, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn delayed(&self) -> Result<Vec<Delayed>, LedgerError> {
        if !self.may_delay()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT w.ts, b.block, w.hotkey, w.round, w.since FROM host_waiting w
            JOIN blocks b ON b.idx = w.ts ORDER BY w.ts, w.hotkey";
        self.list("host_waiting", sql, |row| {
            let (round, since): (i64, i64) = (row.get(3)?, row.get(4)?);
            Ok(Delayed {
                ts: row.get(0)?,
                block: Block(row.get(1)?),
                hotkey: row.get(2)?,
                round: round.cast_unsigned(),
                since: since.cast_unsigned(),
            })
        })
    }

    /// Whether the file is one in which payloads can wait alone.
    pub(super) fn may_delay(&self) -> Result<bool, LedgerError> {
        schema::has_table(&self.conn, &self.path, "host_waiting")
    }
}
