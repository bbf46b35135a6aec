//! Publishing forecasts, and reading what is published.

use super::error::StoreError;
use super::fits;
use super::forecast::{GENESIS, Head, NewForecast, Published};
use super::kinds::{DAY_MS, Digest, bounded, check_ticker, from_json, to_json};
use super::open::Store;
use mantis_plugin_api::{Outlook, OutlookKind};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

/// A time that nothing is published after.
pub const ANY_TIME: i64 = i64::MAX;

/// How far a clock may be behind what is published: so far the newest time is taken instead.
const CLOCK_BACK: i64 = 5 * 60_000;

/// Which forecasts of a challenge; all that is left open is `Span::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The least number.
    pub from_seq: i64,
    /// The least time of publication, in Unix milliseconds.
    pub from: i64,
    /// The largest time of publication, in Unix milliseconds.
    pub until: i64,
}

impl Default for Span {
    fn default() -> Self {
        Self { from_seq: 0, from: i64::MIN, until: ANY_TIME }
    }
}

pub(super) const COLUMNS: &str = "forecasts.seq, ticker, sidx, block, head, as_of, published_at, fit_sha256, miners, \
                                  vals, previous, hash";

impl Store {
    /// Publishes a forecast: from then on it stays as it is. It is refused if its outcome may be known at the head.
    ///
    /// # Errors
    /// [`StoreError::TooLate`], [`StoreError::Twice`], [`StoreError::ClockBack`], or [`StoreError::Refused`] if the numbers
    /// are not such as the fit's outlook says.
    pub fn publish(&self, new: &NewForecast, head: Head) -> Result<Published, StoreError> {
        check_ticker(&new.ticker)?;
        let refuse = |why: String| StoreError::refused("a forecast is not published", why);
        if new.within < 1 || head.block < new.block || new.block < 0 || new.sidx < 0 {
            let NewForecast { sidx, block, within, .. } = new;
            return Err(refuse(format!(
                "row {sidx}, block {block}, {within} blocks until its outcome, head {}",
                head.block
            )));
        }
        if head.block >= new.block.saturating_add(new.within) {
            let (ticker, block, within) = (new.ticker.clone(), new.block, new.within);
            return Err(StoreError::TooLate { ticker, block, head: head.block, within });
        }
        let values = to_json(&new.values)?;
        let published = self.write("publishing a forecast", |conn| {
            let (ticker, fitted, outlook, fit) =
                fits::find(conn, new.fit)?.ok_or_else(|| refuse(format!("there is no fit {}", new.fit)))?;
            if ticker != new.ticker || fitted >= new.sidx {
                return Err(refuse(format!(
                    "fit {} is of {ticker}, up to row {fitted}; the forecast is of {}, row {}",
                    new.fit, new.ticker, new.sidx
                )));
            }
            check_values(&outlook, &new.values).map_err(refuse)?;
            let twice = "SELECT 1 FROM forecasts WHERE ticker = ?1 AND sidx = ?2";
            if conn.query_row(twice, params![new.ticker, new.sidx], |_| Ok(())).optional()?.is_some() {
                return Err(StoreError::Twice { ticker: new.ticker.clone(), sidx: new.sidx });
            }
            let (seq, previous, least) = newest(conn)?;
            if head.now < least.saturating_sub(CLOCK_BACK) {
                return Err(StoreError::ClockBack { behind_ms: least.saturating_sub(head.now) });
            }
            let mut published = Published {
                seq: seq + 1,
                ticker: new.ticker.clone(),
                sidx: new.sidx,
                block: new.block,
                head: head.block,
                as_of: new.as_of,
                published_at: head.now.max(least),
                fit,
                miners: new.miners,
                values: new.values.clone(),
                previous,
                hash: GENESIS,
            };
            published.hash = published.computed_hash();
            insert(conn, &published, new.fit, &values)?;
            Ok(published)
        })?;
        self.announce(published.seq);
        Ok(published)
    }

    /// The forecast of a challenge that was published last, up to a time.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn latest(&self, ticker: &str, until: i64) -> Result<Option<Published>, StoreError> {
        self.read("reading the newest forecast", |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM forecasts WHERE ticker = ?1 AND published_at <= ?2
                 ORDER BY published_at DESC, seq DESC LIMIT 1"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params![ticker, until])?;
            rows.next()?.map(published).transpose()
        })
    }

    /// Forecasts of these challenges with larger numbers, in their order, published up to a time.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn after(
        &self,
        seq: i64,
        tickers: &[String],
        until: i64,
        limit: usize,
    ) -> Result<Vec<Published>, StoreError> {
        if tickers.is_empty() {
            return Ok(Vec::new());
        }
        self.read("reading newer forecasts", |conn| {
            let places = vec!["?"; tickers.len()].join(", ");
            let sql = format!(
                "SELECT {COLUMNS} FROM forecasts WHERE seq > ? AND published_at <= ? AND ticker IN ({places})
                 ORDER BY seq LIMIT ?"
            );
            let given = [Value::from(seq), Value::from(until)].into_iter();
            let given = given.chain(tickers.iter().cloned().map(Value::from)).chain([bounded(limit).into()]);
            collect(conn, &sql, given)
        })
    }

    /// Forecasts of all challenges with larger numbers, as [`Store::after`].
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn after_all(&self, seq: i64, until: i64, limit: usize) -> Result<Vec<Published>, StoreError> {
        self.read("reading newer forecasts", |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM forecasts WHERE seq > ? AND published_at <= ? ORDER BY seq LIMIT ?"
            );
            collect(conn, &sql, [Value::from(seq), until.into(), bounded(limit).into()])
        })
    }

    /// What kind of forecast one is.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn outlook(&self, seq: i64) -> Result<Option<Outlook>, StoreError> {
        self.read("reading the outlook of a forecast", |conn| {
            let sql = "SELECT outlook FROM fits WHERE id = (SELECT fit FROM forecasts WHERE seq = ?1)";
            let text: Option<String> = conn.query_row(sql, [seq], |row| row.get(0)).optional()?;
            text.map(|text| from_json(&text, "the outlook of a fit")).transpose()
        })
    }

    /// Forecasts of a challenge in a span, in the order of their numbers.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn range(&self, ticker: &str, span: Span, limit: usize) -> Result<Vec<Published>, StoreError> {
        self.read("reading forecasts", |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM forecasts WHERE ticker = ? AND published_at BETWEEN ? AND ? AND seq >= ?
                 ORDER BY published_at, seq LIMIT ?"
            );
            let given = [Value::from(ticker.to_owned()), span.from.into(), span.until.into()];
            collect(conn, &sql, given.into_iter().chain([span.from_seq.into(), bounded(limit).into()]))
        })
    }

    /// The newest forecasts of a challenge published up to a time, the newest last.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn newest(&self, ticker: &str, until: i64, limit: usize) -> Result<Vec<Published>, StoreError> {
        let mut found = self.read("reading the newest forecasts", |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM forecasts WHERE ticker = ? AND published_at <= ?
                 ORDER BY published_at DESC, seq DESC LIMIT ?"
            );
            let given = [Value::from(ticker.to_owned()), until.into(), bounded(limit).into()];
            collect(conn, &sql, given)
        })?;
        found.reverse();
        Ok(found)
    }

    /// The least number whose forecast was published at a time or later; one more than the newest if there is none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn seq_at(&self, from: i64) -> Result<i64, StoreError> {
        self.read("reading a number", |conn| {
            let sql = "SELECT coalesce((SELECT seq FROM forecasts WHERE published_at >= ?1
                       ORDER BY published_at, seq LIMIT 1), (SELECT max(seq) + 1 FROM forecasts), 1)";
            Ok(conn.query_row(sql, [from], |row| row.get(0))?)
        })
    }
}

/// The newest number, its hash, and the least time at which the next may be published.
fn newest(conn: &Connection) -> Result<(i64, Digest, i64), StoreError> {
    let sql = "SELECT seq, hash, published_at FROM forecasts ORDER BY seq DESC LIMIT 1";
    let last = conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let (seq, hash, at) = last.unwrap_or((0, GENESIS, i64::MIN));
    // A day that is signed has ended.
    let signed: Option<i64> = conn.query_row("SELECT max(day) FROM days", [], |row| row.get(0))?;
    let least = signed.map_or(i64::MIN, |day| day.saturating_add(1).saturating_mul(DAY_MS));
    Ok((seq, hash, at.max(least)))
}

fn insert(conn: &Connection, published: &Published, fit: i64, values: &str) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO forecasts (seq, ticker, sidx, block, head, as_of, published_at, fit, fit_sha256, vals, miners,
         previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            published.seq,
            published.ticker,
            published.sidx,
            published.block,
            published.head,
            published.as_of,
            published.published_at,
            fit,
            published.fit,
            values,
            published.miners,
            published.previous,
            published.hash
        ],
    )?;
    Ok(())
}

fn check_values(outlook: &Outlook, values: &[Option<f64>]) -> Result<(), String> {
    let expected = outlook.subjects.len() * outlook.classes.len().max(1);
    if values.len() != expected {
        return Err(format!("{} numbers; its outlook has {expected}", values.len()));
    }
    if let Some(value) = values.iter().flatten().find(|value| !value.is_finite()) {
        return Err(format!("{value} is no number"));
    }
    let probable = matches!(outlook.kind, OutlookKind::Probability | OutlookKind::Classes);
    match values.iter().flatten().find(|value| probable && !(0.0..=1.0).contains(*value)) {
        Some(value) => Err(format!("{value} is no probability")),
        None => Ok(()),
    }
}

fn collect(
    conn: &Connection,
    sql: &str,
    given: impl IntoIterator<Item = Value>,
) -> Result<Vec<Published>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(given))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(published(row)?);
    }
    Ok(found)
}

/// A row of [`COLUMNS`].
pub(super) fn published(row: &Row<'_>) -> Result<Published, StoreError> {
    Ok(Published {
        seq: row.get(0)?,
        ticker: row.get(1)?,
        sidx: row.get(2)?,
        block: row.get(3)?,
        head: row.get(4)?,
        as_of: row.get(5)?,
        published_at: row.get(6)?,
        fit: row.get(7)?,
        miners: row.get(8)?,
        values: from_json(&row.get::<_, String>(9)?, "the numbers of a forecast")?,
        previous: row.get(10)?,
        hash: row.get(11)?,
    })
}
