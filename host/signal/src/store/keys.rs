//! Keys of buyers, as they are kept: never the secret itself.

use super::error::StoreError;
use super::kinds::{Digest, bounded, from_json, to_json};
use super::open::Store;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A key to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What it is found by: 8 characters.
    pub id: String,
    /// Of the secret part.
    pub secret: Digest,
    /// What the owner calls it.
    pub note: String,
    /// What it is for, such as `read:latest`.
    pub scopes: Vec<String>,
    /// Challenges that it is for; `None` for all.
    pub signals: Option<Vec<String>>,
    /// Name of its plan.
    pub plan: String,
    /// When it was made, in Unix seconds.
    pub made_at: i64,
    /// When it ends, in Unix seconds.
    pub expires: Option<i64>,
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// What it was made with; `expires` may have changed.
    pub key: NewKey,
    /// When it was revoked, in Unix seconds.
    pub revoked: Option<i64>,
    /// When it was used last, in Unix seconds; some seconds late.
    pub last_used: Option<i64>,
    /// The key that it has replaced.
    pub follows: Option<String>,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The key.
    pub id: String,
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// When last, in Unix seconds.
    pub at: i64,
    /// Requests that were answered.
    pub requests: i64,
    /// Events of streams that were sent.
    pub events: i64,
}

const COLUMNS: &str =
    "id, secret, note, scopes, signals, plan, made_at, expires, revoked, last_used, follows";

impl Store {
    /// Keeps a new key.
    ///
    /// # Errors
    /// If the file cannot be written, or has a key of that id.
    pub fn add_key(&self, key: &NewKey) -> Result<(), StoreError> {
        self.write("keeping a key", |conn| insert(conn, key, None))
    }

    /// The key of an id.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn key(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.read("reading a key", |conn| find(conn, id))
    }

    /// All keys, the oldest first.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn keys(&self, limit: usize) -> Result<Vec<KeyRecord>, StoreError> {
        self.read("listing keys", |conn| {
            let sql = format!("SELECT {COLUMNS} FROM keys ORDER BY made_at, id LIMIT ?1");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([bounded(limit)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(record(row)?);
            }
            Ok(found)
        })
    }

    /// Ends a key at once; gives whether there is one that was not revoked before.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn revoke_key(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        self.write("revoking a key", |conn| {
            let changed = conn.execute(
                "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL",
                params![id, now],
            )?;
            Ok(changed > 0)
        })
    }

    /// Puts a new key in the place of another, which ends at `old_expires` (Unix seconds), or sooner if it does so anyway.
    /// Gives whether there is one that was not replaced before.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn rotate_key(&self, old: &str, new: &NewKey, old_expires: i64) -> Result<bool, StoreError> {
        self.write("replacing a key", |conn| {
            let sql = "UPDATE keys SET expires = min(ifnull(expires, ?2), ?2)
                       WHERE id = ?1 AND revoked IS NULL AND id NOT IN (SELECT follows FROM keys WHERE follows IS NOT NULL)";
            if conn.execute(sql, params![old, old_expires])? == 0 {
                return Ok(false);
            }
            insert(conn, new, Some(old))?;
            Ok(true)
        })
    }

    /// Adds to what keys were used for.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add_usage(&self, all: &[Used]) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        self.write("keeping what keys were used for", |conn| {
            for used in all {
                conn.prepare_cached(
                    "INSERT INTO usage (key, day, requests, events) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (key, day) DO UPDATE SET requests = requests + ?3, events = events + ?4",
                )?
                .execute(params![used.id, used.day, used.requests, used.events])?;
                conn.prepare_cached(
                    "UPDATE keys SET last_used = max(ifnull(last_used, 0), ?2) WHERE id = ?1",
                )?
                .execute(params![used.id, used.at])?;
            }
            Ok(())
        })
    }

    /// What a key was used for, a day each, the newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn usage(&self, id: &str, limit: usize) -> Result<Vec<Used>, StoreError> {
        self.read("reading what a key was used for", |conn| {
            let sql = "SELECT day, requests, events, (SELECT ifnull(last_used, 0) FROM keys WHERE id = ?1)
                       FROM usage WHERE key = ?1 ORDER BY day DESC LIMIT ?2";
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map(params![id, bounded(limit)], |row| {
                let at: Option<i64> = row.get(3)?;
                Ok(Used {
                    id: id.to_owned(),
                    day: row.get(0)?,
                    at: at.unwrap_or(0),
                    requests: row.get(1)?,
                    events: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn insert(conn: &Connection, key: &NewKey, follows: Option<&str>) -> Result<(), StoreError> {
    let signals = key.signals.as_ref().map(to_json).transpose()?;
    conn.execute(
        "INSERT INTO keys (id, secret, note, scopes, signals, plan, made_at, expires, follows)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            key.id,
            key.secret,
            key.note,
            to_json(&key.scopes)?,
            signals,
            key.plan,
            key.made_at,
            key.expires,
            follows
        ],
    )?;
    Ok(())
}

fn find(conn: &Connection, id: &str) -> Result<Option<KeyRecord>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE id = ?1"))?;
    let found = statement.query_row([id], |row| Ok(record(row))).optional()?;
    found.transpose()
}

fn record(row: &Row<'_>) -> Result<KeyRecord, StoreError> {
    let signals: Option<String> = row.get(4)?;
    Ok(KeyRecord {
        key: NewKey {
            id: row.get(0)?,
            secret: row.get(1)?,
            note: row.get(2)?,
            scopes: from_json(&row.get::<_, String>(3)?, "the scopes of a key")?,
            signals: signals.map(|text| from_json(&text, "the signals of a key")).transpose()?,
            plan: row.get(5)?,
            made_at: row.get(6)?,
            expires: row.get(7)?,
        },
        revoked: row.get(8)?,
        last_used: row.get(9)?,
        follows: row.get(10)?,
    })
}
