//! What came true of published forecasts.

use super::error::StoreError;
use super::forecast::Published;
use super::forecasts::{COLUMNS, published};
use super::kinds::{bounded, from_json, to_json};
use super::open::Store;
use mantis_plugin_api::Reading;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params, params_from_iter};
use serde::{Deserialize, Serialize};

/// What came true of a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Outcome {
    /// What the challenge's targets say, a value per subject; `None` for a subject without a label in that row.
    Labels {
        /// What the values are.
        reading: Reading,
        /// The values.
        values: Vec<Option<u16>>,
    },
    /// For a challenge without targets, such as one of portfolios: each subject's return over the horizon; `None` where
    /// there is none.
    Returns {
        /// The returns: 0.01 is a hundredth more.
        values: Vec<Option<f64>>,
    },
}

/// What is kept of an outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// What came true.
    pub outcome: Outcome,
    /// The row with which it has become known.
    pub known_sidx: i64,
    /// When it was worked out, in Unix milliseconds.
    pub settled_at: i64,
}

impl Outcome {
    /// For how many subjects it has a place.
    #[must_use]
    pub fn subjects(&self) -> usize {
        match self {
            Self::Labels { values, .. } => values.len(),
            Self::Returns { values } => values.len(),
        }
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::Labels { reading, values } => {
                values.iter().flatten().all(|value| *value < reading.values())
            }
            Self::Returns { values } => values.iter().flatten().all(|value| value.is_finite()),
        }
    }
}

impl Store {
    /// Forecasts with larger numbers than `after` whose outcome is not kept yet, in their order; of one challenge, or of
    /// all.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn unsettled(
        &self,
        ticker: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Published>, StoreError> {
        self.read("reading forecasts without outcome", |conn| {
            let of = if ticker.is_some() { "AND ticker = ?" } else { "" };
            let sql = format!(
                "SELECT {COLUMNS} FROM forecasts LEFT JOIN outcomes ON outcomes.seq = forecasts.seq
                 WHERE outcomes.seq IS NULL AND forecasts.seq > ? {of} ORDER BY forecasts.seq LIMIT ?"
            );
            let mut given = vec![Value::from(after)];
            given.extend(ticker.map(|ticker| Value::from(ticker.to_owned())));
            given.push(bounded(limit).into());
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(given))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(published(row)?);
            }
            Ok(found)
        })
    }

    /// Keeps what came true of a forecast. The same once more changes nothing; gives whether it was new.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is no such forecast, if the outcome does not fit it, or if another is kept.
    pub fn settle(&self, seq: i64, settlement: &Settlement) -> Result<bool, StoreError> {
        let refuse = |why: String| StoreError::refused("an outcome is not kept", why);
        let Settlement { outcome, known_sidx, settled_at } = settlement;
        if !outcome.is_sound() {
            return Err(refuse(format!("of forecast {seq}: a value that there is not")));
        }
        let text = to_json(outcome)?;
        self.write("keeping an outcome", |conn| {
            let sql = "SELECT forecasts.sidx, outlook FROM forecasts JOIN fits ON fits.id = forecasts.fit
                       WHERE seq = ?1";
            let found =
                conn.query_row(sql, [seq], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
            let (sidx, outlook) =
                found.optional()?.ok_or_else(|| refuse(format!("there is no forecast {seq}")))?;
            let outlook: mantis_plugin_api::Outlook = from_json(&outlook, "the outlook of a fit")?;
            if *known_sidx < sidx || outcome.subjects() != outlook.subjects.len() {
                return Err(refuse(format!(
                    "of forecast {seq} (row {sidx}, {} subjects): known in row {known_sidx}, {} subjects",
                    outlook.subjects.len(),
                    outcome.subjects()
                )));
            }
            let kept: Option<(String, i64)> = conn
                .query_row("SELECT outcome, known_sidx FROM outcomes WHERE seq = ?1", [seq], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            match kept {
                Some((kept, known)) if kept == text && known == *known_sidx => Ok(false),
                Some(_) => Err(refuse(format!("another is kept of forecast {seq}, and stays"))),
                None => {
                    conn.execute(
                        "INSERT INTO outcomes (seq, outcome, known_sidx, settled_at) VALUES (?1, ?2, ?3, ?4)",
                        params![seq, text, known_sidx, settled_at],
                    )?;
                    Ok(true)
                }
            }
        })
    }

    /// The outcome of a forecast.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn outcome(&self, seq: i64) -> Result<Option<Settlement>, StoreError> {
        self.read("reading an outcome", |conn| {
            let sql = "SELECT outcome, known_sidx, settled_at FROM outcomes WHERE seq = ?1";
            let found = conn
                .query_row(sql, [seq], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let whole = |(outcome, known_sidx, settled_at): (String, i64, i64)| {
                Ok(Settlement { outcome: from_json(&outcome, "an outcome")?, known_sidx, settled_at })
            };
            found.map(whole).transpose()
        })
    }
}
