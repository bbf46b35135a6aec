//! What miners sealed for the owner, held against what they sealed for everyone.
//!
//! What the owner opened at once waits here as a digest until the time-locked part is out. Then it is counted, per challenge
//! and hotkey, and goes. A digest is kept by its first 16 bytes: a day of 256 miners and 12 challenges has millions.

use super::error::StoreError;
use super::kinds::{Digest, bounded};
use super::open::Store;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

/// What a miner sealed for the owner in one row, of one challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Early {
    /// The row.
    pub sidx: i64,
    /// The challenge.
    pub ticker: String,
    /// The miner.
    pub hotkey: String,
    /// Of the plaintext.
    pub digest: Digest,
}

/// What the time-locked part was, when it was out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Later {
    /// The same as the owner's part.
    Equal,
    /// Another: the miner has told the owner and everyone different things.
    Differs,
    /// It could not be opened.
    Unopened,
}

/// How often a miner's parts were equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EarlyCount {
    /// The challenge.
    pub ticker: String,
    /// The miner.
    pub hotkey: String,
    /// Rows in which both were equal.
    pub equal: i64,
    /// Rows in which they were not.
    pub differs: i64,
    /// Rows whose time-locked part could not be opened.
    pub unopened: i64,
    /// The newest row in which they were not equal.
    pub last_differs: Option<i64>,
}

/// How much of a digest is kept.
const KEPT: usize = 16;

fn kept(digest: &Digest) -> &[u8] {
    digest.0.get(..KEPT).unwrap_or_default()
}

impl Store {
    /// Keeps what was opened early, until it is judged; what is kept of the same row, challenge and hotkey stays.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add_early(&self, all: &[Early]) -> Result<(), StoreError> {
        self.write("keeping what was opened early", |conn| {
            for early in all {
                let (ticker, hotkey) = (number(conn, &early.ticker)?, number(conn, &early.hotkey)?);
                let sql =
                    "INSERT OR IGNORE INTO early (sidx, ticker, hotkey, digest) VALUES (?1, ?2, ?3, ?4)";
                conn.prepare_cached(sql)?.execute(params![
                    early.sidx,
                    ticker,
                    hotkey,
                    kept(&early.digest)
                ])?;
            }
            Ok(())
        })
    }

    /// The first rows, up to `until`, that have something to be judged.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn early_rows(&self, until: i64, limit: usize) -> Result<Vec<i64>, StoreError> {
        self.read("reading what was opened early", |conn| {
            let sql = "SELECT DISTINCT sidx FROM early WHERE sidx <= ?1 ORDER BY sidx LIMIT ?2";
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map(params![until, bounded(limit)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Judges a row: each (challenge, hotkey) that waits there is compared with the digest of its time-locked part, given
    /// in `later`; what is not in it is counted as unopened. The row's digests go. Gives those that differ.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn judge_early(&self, sidx: i64, later: &[Early]) -> Result<Vec<(String, String)>, StoreError> {
        self.write("judging what was opened early", |conn| {
            let mut waiting = Vec::new();
            {
                let sql = "SELECT t.name, h.name, digest, ticker, hotkey FROM early
                           JOIN names t ON t.id = ticker JOIN names h ON h.id = hotkey WHERE sidx = ?1";
                let mut statement = conn.prepare_cached(sql)?;
                let mut rows = statement.query([sidx])?;
                while let Some(row) = rows.next()? {
                    let names: (String, String) = (row.get(0)?, row.get(1)?);
                    waiting.push((names, row.get::<_, Vec<u8>>(2)?, row.get(3)?, row.get(4)?));
                }
            }
            let later: std::collections::BTreeMap<(&str, &str), &Digest> = later
                .iter()
                .filter(|later| later.sidx == sidx)
                .map(|later| ((&*later.ticker, &*later.hotkey), &later.digest))
                .collect();
            let mut differing = Vec::new();
            for ((ticker, hotkey), digest, t, h) in waiting {
                let verdict = match later.get(&(&*ticker, &*hotkey)) {
                    Some(found) if kept(found) == digest => Later::Equal,
                    Some(_) => Later::Differs,
                    None => Later::Unopened,
                };
                count(conn, t, h, sidx, verdict)?;
                if verdict == Later::Differs {
                    differing.push((ticker, hotkey));
                }
            }
            conn.execute("DELETE FROM early WHERE sidx = ?1", [sidx])?;
            Ok(differing)
        })
    }

    /// How often miners' parts were equal, those that differ most often first; of one challenge, or of all.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn early_counts(&self, ticker: Option<&str>, limit: usize) -> Result<Vec<EarlyCount>, StoreError> {
        self.read("reading how often parts were equal", |conn| {
            let sql = "SELECT t.name, h.name, equal, differs, unopened, last_differs FROM early_counts
                       JOIN names t ON t.id = ticker JOIN names h ON h.id = hotkey
                       WHERE ?1 IS NULL OR t.name = ?1
                       ORDER BY differs DESC, unopened DESC, h.name, t.name LIMIT ?2";
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map(params![ticker, bounded(limit)], |row| {
                Ok(EarlyCount {
                    ticker: row.get(0)?,
                    hotkey: row.get(1)?,
                    equal: row.get(2)?,
                    differs: row.get(3)?,
                    unopened: row.get(4)?,
                    last_differs: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn number(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO names (name) VALUES (?1)")?.execute([name])?;
    Ok(conn.prepare_cached("SELECT id FROM names WHERE name = ?1")?.query_row([name], |row| row.get(0))?)
}

fn count(
    conn: &Transaction<'_>,
    ticker: i64,
    hotkey: i64,
    sidx: i64,
    verdict: Later,
) -> Result<(), StoreError> {
    let of = |one: Later| i64::from(one == verdict);
    let last = (verdict == Later::Differs).then_some(sidx);
    let sql = "INSERT INTO early_counts (ticker, hotkey, equal, differs, unopened, last_differs)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (ticker, hotkey) DO UPDATE SET equal = equal + ?3, differs = differs + ?4,
               unopened = unopened + ?5, last_differs = ifnull(?6, last_differs)";
    let given = params![ticker, hotkey, of(Later::Equal), of(Later::Differs), of(Later::Unopened), last];
    conn.prepare_cached(sql)?.execute(given)?;
    Ok(())
}
