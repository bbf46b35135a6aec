//! Payloads that wait for the signature of their round alone, after the others of their block were opened: our own
//! table `host_waiting`.

use super::{Ledger, LedgerError, schema};
use mantis_config::Block;
use std::collections::BTreeSet;

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
    /// How many payloads wait alone.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn delayed(&self) -> Result<usize, LedgerError> {
        let sql = "SELECT COUNT(*) FROM host_waiting";
        let count = self.record("host_waiting", sql, [], |row| row.get::<_, i64>(0))?;
        Ok(count.first().map_or(0, |count| *count as usize))
    }

    /// The rounds up to `newest` that payloads wait for alone, in order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn delayed_rounds(&self, newest: u64) -> Result<BTreeSet<u64>, LedgerError> {
        let sql = "SELECT DISTINCT round FROM host_waiting WHERE round <= ?1";
        let newest = i64::try_from(newest).unwrap_or(i64::MAX);
        let rounds = self.record("host_waiting", sql, [newest], |row| row.get::<_, i64>(0))?;
        Ok(rounds.into_iter().map(i64::cast_unsigned).collect())
    }

    /// The payloads that wait alone for a round, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn delayed_of_round(&self, round: u64) -> Result<Vec<Delayed>, LedgerError> {
        self.delayed_where("w.round = ?1", i64::try_from(round).unwrap_or(i64::MAX))
    }

    /// The payloads that have waited alone since a Unix time or before it, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn delayed_since(&self, unix: u64) -> Result<Vec<Delayed>, LedgerError> {
        self.delayed_where("w.since <= ?1", i64::try_from(unix).unwrap_or(i64::MAX))
    }

    fn delayed_where(&self, condition: &str, number: i64) -> Result<Vec<Delayed>, LedgerError> {
        let sql = format!(
            "SELECT w.ts, b.block, w.hotkey, w.round, w.since FROM host_waiting w
            JOIN blocks b ON b.idx = w.ts WHERE {condition} ORDER BY w.ts, w.hotkey"
        );
        self.record("host_waiting", &sql, [number], |row| {
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
