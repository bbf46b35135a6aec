//! What was fetched of published ledgers: our own tables `host_publishers`, the newest list of each; `host_parts`, the parts that
//! were merged; and `host_fetched`, the rows that came with them.

use super::form::Day;
use crate::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// The newest list of a publisher that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenList {
    /// Its number.
    pub number: u32,
    /// The SHA-256 of its `ledger.toml`.
    pub sha256: [u8; 32],
}

/// A part that was merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPart {
    /// Who published it.
    pub publisher: String,
    /// SHA-256 of what was in it.
    pub content: [u8; 32],
    /// Whether nothing of it waited to be opened.
    pub is_final: bool,
}

impl Ledger {
    /// The newest list of a publisher that was taken; `None` if none was.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn seen_list(&self, publisher: &str) -> Result<Option<SeenList>, LedgerError> {
        let sql = "SELECT number, sha256 FROM host_publishers WHERE publisher = ?1";
        let seen = self.record("host_publishers", sql, [publisher], |row| {
            Ok(SeenList { number: row.get(0)?, sha256: digest(row.get(1)?) })
        })?;
        Ok(seen.into_iter().next())
    }

    /// Keeps that a list of a publisher was taken.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store_seen_list(&mut self, publisher: &str, seen: SeenList, unix: u64) -> Result<(), LedgerError> {
        let sql = "INSERT OR REPLACE INTO host_publishers (publisher, number, sha256, unix) VALUES (?1, ?2, ?3, ?4)";
        let unix = i64::try_from(unix).unwrap_or(i64::MAX);
        self.conn
            .execute(sql, (publisher, seen.number, hex::encode(seen.sha256), unix))
            .map(drop)
            .map_err(|e| LedgerError::sqlite(&self.path, "the table host_publishers", e))
    }

    /// The parts that were merged, by day.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn known_parts(&self) -> Result<BTreeMap<Day, KnownPart>, LedgerError> {
        let sql = "SELECT day, publisher, content, is_final FROM host_parts";
        let known = self.record("host_parts", sql, [], |row| {
            let part =
                KnownPart { publisher: row.get(1)?, content: digest(row.get(2)?), is_final: row.get(3)? };
            Ok((Day(row.get(0)?), part))
        })?;
        Ok(known.into_iter().collect())
    }

    /// How many blocks of a part were sampled here or fetched.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn blocks_of(&self, day: Day) -> Result<u64, LedgerError> {
        self.conn
            .prepare_cached("SELECT COUNT(DISTINCT block) FROM blocks WHERE block BETWEEN ?1 AND ?2")
            .and_then(|mut query| query.query_row((day.first().0, day.last().0), |row| row.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .map_err(|e| LedgerError::sqlite(&self.path, "the table blocks", e))
    }
}

/// What is no digest is one of nothing, which then is not found.
fn digest(digits: String) -> [u8; 32] {
    let mut bytes = [0; 32];
    let _ = hex::decode_to_slice(digits, &mut bytes);
    bytes
}
