//! Whether what is published is still what was published.

use super::days::day_message;
use super::error::StoreError;
use super::forecast::{GENESIS, Published};
use super::forecasts::{COLUMNS, published};
use super::kinds::{DAY_MS, Digest, MOST};
use super::open::Store;
use crate::signing::is_signed;
use rusqlite::params;
use serde::Serialize;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Forecasts that were looked at.
    pub forecasts: i64,
    /// Signed days among them.
    pub days: usize,
    /// The newest hash.
    pub root: Digest,
    /// The first thing that is not as it was published.
    pub broken: Option<Broken>,
}

/// Where what is kept is not what was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The forecast, or the last one of the day.
    pub seq: i64,
    /// What is wrong.
    pub what: String,
}

/// What is known while walking.
struct Walk {
    seq: i64,
    hash: Digest,
    at: i64,
    /// The first forecast of the day, and the day.
    first: i64,
    day: i64,
}

impl Store {
    /// Walks through all forecasts: numbers without gaps, each hash, each link, times that do not go back, and each signed
    /// day. With `signer`, days must be signed by that public key (hexadecimal digits).
    ///
    /// # Errors
    /// If the file cannot be read or is damaged so that it cannot be walked.
    pub fn verify(&self, signer: Option<&str>) -> Result<Verified, StoreError> {
        let mut walk = Walk { seq: 0, hash: GENESIS, at: i64::MIN, first: 1, day: i64::MIN };
        let mut days = 0;
        let done =
            |walk: &Walk, days, broken| Verified { forecasts: walk.seq, days, root: walk.hash, broken };
        loop {
            let page = self.page(walk.seq)?;
            if page.is_empty() {
                break;
            }
            for forecast in page {
                // The day before has ended with this forecast.
                if walk.seq > 0 && forecast.published_at.div_euclid(DAY_MS) != walk.day {
                    match self.check_day(&walk, signer)? {
                        Ok(signed) => days += usize::from(signed),
                        Err(what) => return Ok(done(&walk, days, Some(Broken { seq: walk.seq, what }))),
                    }
                }
                if let Err(what) = walk.step(&forecast) {
                    return Ok(done(&walk, days, Some(Broken { seq: forecast.seq, what })));
                }
            }
        }
        if walk.seq > 0 {
            match self.check_day(&walk, signer)? {
                Ok(signed) => days += usize::from(signed),
                Err(what) => return Ok(done(&walk, days, Some(Broken { seq: walk.seq, what }))),
            }
        }
        // A day of the table that no forecast led to.
        let (kept, last) = self.read("counting days", |conn| {
            Ok(conn.query_row("SELECT count(*), ifnull(max(last_seq), 0) FROM days", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })?)
        })?;
        let missing = kept != i64::try_from(days).unwrap_or(-1);
        let broken = missing.then(|| Broken { seq: last, what: "a signed day has no forecasts".into() });
        Ok(done(&walk, days, broken))
    }

    fn page(&self, after: i64) -> Result<Vec<Published>, StoreError> {
        self.read("walking through forecasts", |conn| {
            let sql = format!("SELECT {COLUMNS} FROM forecasts WHERE seq > ?1 ORDER BY seq LIMIT ?2");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params![after, i64::try_from(MOST).unwrap_or(0)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(published(row)?);
            }
            Ok(found)
        })
    }

    /// Whether the day that was walked through is signed; the inner error says what is wrong with its signature.
    fn check_day(&self, walk: &Walk, signer: Option<&str>) -> Result<Result<bool, String>, StoreError> {
        let until = walk.day.saturating_add(1).saturating_mul(DAY_MS);
        let Some(day) = self.days(until, 1)?.pop().filter(|day| day.day == walk.day) else {
            // Only the newest day may have none, and those that nobody has signed yet: they are at the end.
            let later = self.read("looking for later days", |conn| {
                let sql = "SELECT count(*) FROM days WHERE day > ?1";
                Ok(conn.query_row(sql, [walk.day], |row| row.get::<_, i64>(0))?)
            })?;
            return Ok(if later > 0 {
                Err("its day is not signed, but a later one is".into())
            } else {
                Ok(false)
            });
        };
        let message = day_message(day.day, day.first_seq, day.last_seq, &day.root);
        Ok(match () {
            () if (day.first_seq, day.last_seq) != (walk.first, walk.seq) => Err(format!(
                "its day was signed with forecasts {} to {}, and has {} to {}",
                day.first_seq, day.last_seq, walk.first, walk.seq
            )),
            () if day.root != walk.hash => Err("its day was signed with another hash".into()),
            () if signer.is_some_and(|signer| signer != day.signer) => {
                Err(format!("its day is signed by another key, {}", day.signer))
            }
            () if !is_signed(&day.signer, message.as_bytes(), &day.signature) => {
                Err("the signature of its day is not that of its key".into())
            }
            () => Ok(true),
        })
    }
}

impl Walk {
    fn step(&mut self, forecast: &Published) -> Result<(), String> {
        if forecast.seq != self.seq + 1 {
            return Err(format!("it follows forecast {}: those between are missing", self.seq));
        }
        if forecast.previous != self.hash {
            return Err("the hash that it names as the one before is not that one's".into());
        }
        if forecast.computed_hash() != forecast.hash {
            return Err("it has been changed: its hash is that of something else".into());
        }
        if forecast.published_at < self.at {
            return Err("it is published before the one before it".into());
        }
        let day = forecast.published_at.div_euclid(DAY_MS);
        if day != self.day {
            self.first = forecast.seq;
        }
        *self = Self {
            seq: forecast.seq,
            hash: forecast.hash,
            at: forecast.published_at,
            first: self.first,
            day,
        };
        Ok(())
    }
}
