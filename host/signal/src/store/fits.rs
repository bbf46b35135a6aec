//! Fitted ensembles.

use super::error::StoreError;
use super::kinds::{Digest, bounded, check_ticker, from_json, to_json};
use super::open::Store;
use mantis_plugin_api::Outlook;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

/// Bytes of a fit at most.
pub const LONGEST_FIT: usize = 16 << 20;

/// A fit to be kept.
#[derive(Clone, Debug)]
pub struct NewFit {
    /// The challenge.
    pub ticker: String,
    /// Of the plugin's file.
    pub plugin: Digest,
    /// Of the challenge's parameters, as hexadecimal digits.
    pub params: String,
    /// The last row that it was fitted with.
    pub sidx: i64,
    /// That row's block.
    pub block: i64,
    /// Whose numbers a forecast takes, in their order.
    pub hotkeys: Vec<String>,
    /// What kind of forecast it gives.
    pub outlook: Outlook,
    /// What the plugin reads.
    pub bytes: Vec<u8>,
    /// When it was made, in Unix milliseconds.
    pub made_at: i64,
}

/// What is known of a fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FitInfo {
    /// Its number in this store.
    pub id: i64,
    /// The challenge.
    pub ticker: String,
    /// Of the plugin's file.
    pub plugin: Digest,
    /// Of the challenge's parameters, as hexadecimal digits.
    pub params: String,
    /// The last row that it was fitted with.
    pub sidx: i64,
    /// That row's block.
    pub block: i64,
    /// Whose numbers a forecast takes, in their order.
    pub hotkeys: Vec<String>,
    /// What kind of forecast it gives.
    pub outlook: Outlook,
    /// Of its bytes.
    pub sha256: Digest,
    /// When it was made, in Unix milliseconds.
    pub made_at: i64,
}

/// A fit with its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What is known of it.
    pub info: FitInfo,
    /// What the plugin reads.
    pub bytes: Vec<u8>,
}

const COLUMNS: &str = "id, ticker, plugin, params, sidx, block, hotkeys, outlook, sha256, made_at";

impl Store {
    /// Keeps a fit; gives its number, which is larger than those before.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for one that is too long or contradicts itself.
    pub fn add_fit(&self, fit: &NewFit) -> Result<i64, StoreError> {
        check(fit)?;
        let (hotkeys, outlook) = (to_json(&fit.hotkeys)?, to_json(&fit.outlook)?);
        self.write("keeping a fit", |conn| {
            conn.execute(
                "INSERT INTO fits (ticker, plugin, params, sidx, block, hotkeys, outlook, bytes, sha256, made_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    fit.ticker,
                    fit.plugin,
                    fit.params,
                    fit.sidx,
                    fit.block,
                    hotkeys,
                    outlook,
                    fit.bytes,
                    Digest::of(&fit.bytes),
                    fit.made_at
                ],
            )?;
            Ok(conn.last_insert_rowid())
        })
    }

    /// The newest fit of a challenge, if its bytes are still those that were kept.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn newest_fit(&self, ticker: &str) -> Result<Option<Fit>, StoreError> {
        self.read("reading the newest fit", |conn| {
            let sql = format!("SELECT {COLUMNS}, bytes FROM fits WHERE ticker = ?1 ORDER BY id DESC LIMIT 1");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([ticker])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let (info, bytes) = (info(row)?, row.get::<_, Option<Vec<u8>>>(10)?);
            match bytes {
                Some(bytes) if Digest::of(&bytes) == info.sha256 => Ok(Some(Fit { info, bytes })),
                Some(_) => Err(StoreError::damaged(format!("the bytes of fit {}", info.id))),
                None => Ok(None),
            }
        })
    }

    /// What is known of a fit.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn fit_info(&self, id: i64) -> Result<Option<FitInfo>, StoreError> {
        self.read("reading a fit", |conn| {
            let sql = format!("SELECT {COLUMNS} FROM fits WHERE id = ?1");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([id])?;
            rows.next()?.map(info).transpose()
        })
    }

    /// What is known of the newest fit of each challenge, in the order of tickers.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn signals(&self) -> Result<Vec<FitInfo>, StoreError> {
        self.read("listing signals", |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM fits WHERE id IN (SELECT max(id) FROM fits GROUP BY ticker)
                 ORDER BY ticker LIMIT ?1"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([bounded(usize::MAX)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(info(row)?);
            }
            Ok(found)
        })
    }

    /// Lets go of the bytes of all fits but the `keep` newest of each challenge; what is known of them stays.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn drop_old_fits(&self, keep: usize) -> Result<usize, StoreError> {
        self.write("letting old fits go", |conn| {
            let sql = "UPDATE fits SET bytes = NULL WHERE bytes IS NOT NULL AND
                       (SELECT count(*) FROM fits newer WHERE newer.ticker = fits.ticker AND newer.id > fits.id) >= ?1";
            Ok(conn.execute(sql, [i64::try_from(keep.max(1)).unwrap_or(i64::MAX)])?)
        })
    }
}

pub(super) fn find(
    conn: &rusqlite::Connection,
    id: i64,
) -> Result<Option<(String, i64, Outlook, Digest)>, StoreError> {
    let found = conn
        .query_row("SELECT ticker, sidx, outlook, sha256 FROM fits WHERE id = ?1", [id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })
        .optional()?;
    let whole = |(ticker, sidx, outlook, digest): (String, i64, String, Digest)| {
        Ok((ticker, sidx, from_json(&outlook, "the outlook of a fit")?, digest))
    };
    found.map(whole).transpose()
}

fn info(row: &Row<'_>) -> Result<FitInfo, StoreError> {
    Ok(FitInfo {
        id: row.get(0)?,
        ticker: row.get(1)?,
        plugin: row.get(2)?,
        params: row.get(3)?,
        sidx: row.get(4)?,
        block: row.get(5)?,
        hotkeys: from_json(&row.get::<_, String>(6)?, "the hotkeys of a fit")?,
        outlook: from_json(&row.get::<_, String>(7)?, "the outlook of a fit")?,
        sha256: row.get(8)?,
        made_at: row.get(9)?,
    })
}

fn check(fit: &NewFit) -> Result<(), StoreError> {
    check_ticker(&fit.ticker)?;
    let refuse = |why: String| Err(StoreError::refused("a fit is not kept", why));
    let Outlook { subjects, classes, .. } = &fit.outlook;
    match () {
        () if fit.bytes.is_empty() || fit.bytes.len() > LONGEST_FIT => {
            refuse(format!("{} bytes; allowed are 1 to {LONGEST_FIT}", fit.bytes.len()))
        }
        () if fit.params.len() > 128 || !fit.params.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            refuse("the digest of its parameters is none".into())
        }
        () if subjects.is_empty() || subjects.len() > 4096 => {
            refuse(format!("it is about {} subjects; allowed are 1 to 4096", subjects.len()))
        }
        () if classes.len() > 4096 => refuse(format!("{} classes; allowed are 4096", classes.len())),
        () if subjects.len() * classes.len().max(1) > 65_536 => {
            refuse("more than 65536 numbers a forecast".into())
        }
        () if fit.hotkeys.len() > 65_536 => refuse(format!("{} hotkeys", fit.hotkeys.len())),
        () => Ok(()),
    }
}
