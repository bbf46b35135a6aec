//! Forecasts together with what came true of them.

use super::error::StoreError;
use super::forecasts::Span;
use super::kinds::from_json;
use super::open::Store;
use super::outcomes::Outcome;
use rusqlite::params;

/// Rows at most: a year of minutes is not read at once, a hundred days are.
const MOST_SETTLED: usize = 150_000;

/// A forecast whose outcome is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Its number.
    pub seq: i64,
    /// The row that it was made from.
    pub sidx: i64,
    /// The row with which its outcome has become known.
    pub known_sidx: i64,
    /// When it was published, in Unix milliseconds.
    pub published_at: i64,
    /// What was said.
    pub values: Vec<Option<f64>>,
    /// What came true.
    pub outcome: Outcome,
}

impl Store {
    /// The newest settled forecasts of a challenge in a span, in the order of their rows; 150,000 at most.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn settled(&self, ticker: &str, span: Span) -> Result<Vec<Settled>, StoreError> {
        self.read("reading settled forecasts", |conn| {
            let sql = "SELECT forecasts.seq, sidx, known_sidx, published_at, vals, outcome
                       FROM forecasts JOIN outcomes ON outcomes.seq = forecasts.seq
                       WHERE ticker = ?1 AND published_at BETWEEN ?2 AND ?3 AND forecasts.seq >= ?4
                       ORDER BY published_at DESC, forecasts.seq DESC LIMIT ?5";
            let mut statement = conn.prepare_cached(sql)?;
            let most = i64::try_from(MOST_SETTLED).unwrap_or(i64::MAX);
            let mut rows = statement.query(params![ticker, span.from, span.until, span.from_seq, most])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Settled {
                    seq: row.get(0)?,
                    sidx: row.get(1)?,
                    known_sidx: row.get(2)?,
                    published_at: row.get(3)?,
                    values: from_json(&row.get::<_, String>(4)?, "the numbers of a forecast")?,
                    outcome: from_json(&row.get::<_, String>(5)?, "an outcome")?,
                });
            }
            found.sort_by_key(|settled| settled.sidx);
            Ok(found)
        })
    }
}
