//! Days (UTC) of the chain of forecasts, each signed when it has ended.

use super::error::StoreError;
use super::kinds::{DAY_MS, Digest, bounded};
use super::open::Store;
use crate::signing::SigningKey;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// A day that has ended, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// Number of its first forecast.
    pub first_seq: i64,
    /// Number of its last forecast.
    pub last_seq: i64,
    /// Hash of its last forecast.
    pub root: Digest,
    /// Ed25519 signature of [`day_message`], as hexadecimal digits.
    pub signature: String,
    /// The public key, as hexadecimal digits.
    pub signer: String,
}

/// What a day's signature is of: these words and numbers, one a line, the last without a line's end.
#[must_use]
pub fn day_message(day: i64, first_seq: i64, last_seq: i64, root: &Digest) -> String {
    format!("mantis-signal-day-1\n{day}\n{first_seq}\n{last_seq}\n{root}")
}

impl Store {
    /// Signs the days that have ended by `now` (Unix milliseconds) and have no signature yet; gives how many.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn sign_days(&self, key: &SigningKey, now: i64) -> Result<usize, StoreError> {
        let today = now.div_euclid(DAY_MS);
        let mut signed = 0;
        // A transaction a day.
        while self.write("signing a day", |conn| {
            let sql = "SELECT published_at FROM forecasts
                       WHERE seq > (SELECT ifnull(max(last_seq), 0) FROM days) ORDER BY seq LIMIT 1";
            let first: Option<i64> = conn.query_row(sql, [], |row| row.get(0)).optional()?;
            let Some(day) = first.map(|at| at.div_euclid(DAY_MS)).filter(|day| *day < today) else {
                return Ok(false);
            };
            let bounds = "SELECT min(seq), max(seq) FROM forecasts WHERE published_at >= ?1 AND published_at < ?2";
            let (first_seq, last_seq): (i64, i64) =
                conn.query_row(bounds, [day * DAY_MS, (day + 1) * DAY_MS], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let root: Digest =
                conn.query_row("SELECT hash FROM forecasts WHERE seq = ?1", [last_seq], |row| row.get(0))?;
            let signature = hex::encode(key.sign(day_message(day, first_seq, last_seq, &root).as_bytes()));
            conn.execute(
                "INSERT INTO days (day, first_seq, last_seq, root, signature, signer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![day, first_seq, last_seq, root, signature, key.public()],
            )?;
            Ok(true)
        })? {
            signed += 1;
        }
        Ok(signed)
    }

    /// Signed days that ended at a time (Unix milliseconds) or before, the newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn days(&self, until: i64, limit: usize) -> Result<Vec<Day>, StoreError> {
        self.read("reading days", |conn| {
            let sql = "SELECT day, first_seq, last_seq, root, signature, signer FROM days
                       WHERE day < ?1 ORDER BY day DESC LIMIT ?2";
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map([until.div_euclid(DAY_MS), bounded(limit)], |row| {
                Ok(Day {
                    day: row.get(0)?,
                    first_seq: row.get(1)?,
                    last_seq: row.get(2)?,
                    root: row.get(3)?,
                    signature: row.get(4)?,
                    signer: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
