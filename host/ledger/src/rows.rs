//! Reading the rows of a ticker, one after the other.

use super::blob::{Decoder, Length, Submissions};
use super::sums::{self, Comparison, Damage, Found, SUMS};
use super::{Ledger, LedgerError};
use mantis_config::Sidx;
use rusqlite::types::ValueRef;
use std::ops::{ControlFlow, RangeInclusive};

/// What is read of the rows of a ticker; the rest comes as if there were none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    All,
    Prices,
    Submissions,
}

impl Columns {
    fn sql(self) -> &'static str {
        match self {
            Self::All => {
                "SELECT sidx, price, price_data, embeddings FROM challenge_data
                WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3 ORDER BY sidx"
            }
            Self::Prices => {
                "SELECT sidx, price, price_data, NULL FROM challenge_data
                WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3 ORDER BY sidx"
            }
            Self::Submissions => {
                "SELECT sidx, NULL, NULL, embeddings FROM challenge_data
                WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3 ORDER BY sidx"
            }
        }
    }
}

/// One sampled block of one ticker. It borrows from the database and lasts until the next row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Sampled-block index: `block / sample_every`.
    pub sidx: Sidx,
    /// The price of a single-asset ticker. 0 where the feed had none.
    pub price: Option<f64>,
    /// The prices of a multi-asset ticker: JSON, asset to number.
    pub price_data: Option<&'a str>,
    /// What the miners sent.
    pub submissions: Submissions<'a>,
    /// What the miners sent, as it is stored.
    pub(crate) blob: &'a [u8],
    /// Whether vectors were ignored, because the blob's length or its list of hotkeys is wrong.
    pub bad_vectors: bool,
    /// Whether its price or prices are not numbers, and were taken as absent.
    pub bad_prices: bool,
}

/// How often something was met, and where first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many rows.
    pub count: u64,
    /// `sidx` of the first of them.
    pub first_sidx: Option<Sidx>,
}

impl Tally {
    pub(crate) fn add(&mut self, sidx: Sidx) {
        self.count += 1;
        self.first_sidx.get_or_insert(sidx);
    }
}

/// What was left out while reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// Rows whose vectors were ignored, because the blob's length or its list of hotkeys is wrong.
    pub bad_blobs: Tally,
    /// Rows whose price or prices are not numbers, and were taken as absent.
    pub bad_prices: Tally,
}

impl Ledger {
    /// Hands the rows of `ticker` with `sidx` in a range, in order, to `visit`, until it breaks or fails.
    /// `storage_dim` is the length of the miners' vectors; a blob of another length counts as bad, and its
    /// row comes without vectors.
    ///
    /// # Errors
    /// Those of `visit`, and [`LedgerError::Corrupt`] naming ticker and place where the file is damaged.
    pub fn rows<E: From<LedgerError>>(
        &self,
        ticker: &str,
        sidx: RangeInclusive<Sidx>,
        storage_dim: usize,
        visit: impl FnMut(Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<Warnings, E> {
        self.scan(Columns::All, ticker, sidx, Length::Exact(storage_dim), visit)
    }

    /// As [`Ledger::rows`], without the submissions: cheaper.
    ///
    /// # Errors
    /// As [`Ledger::rows`].
    pub fn prices<E: From<LedgerError>>(
        &self,
        ticker: &str,
        sidx: RangeInclusive<Sidx>,
        visit: impl FnMut(Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<Warnings, E> {
        self.scan(Columns::Prices, ticker, sidx, Length::Any(None), visit)
    }

    /// Reads rows, and compares what is read with its checksums.
    pub(super) fn scan<E: From<LedgerError>>(
        &self,
        columns: Columns,
        ticker: &str,
        sidx: RangeInclusive<Sidx>,
        length: Length,
        mut visit: impl FnMut(Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<Warnings, E> {
        let mut last = None;
        let fail = |last: Option<Sidx>, e| {
            let place = match last {
                Some(sidx) => format!("the rows of {ticker} after sidx {sidx}"),
                None => format!("the rows of {ticker}, at the first"),
            };
            E::from(LedgerError::sqlite(&self.path, place, e))
        };
        let mut warnings = Warnings::default();
        let mut decoder = Decoder::default();
        let mut statement = self.conn.prepare_cached(columns.sql()).map_err(|e| fail(last, e))?;
        // A ledger of the network's, or of an earlier version that is only read, has none.
        let mut summed = match self.has("host_sums")? {
            true => Some(self.conn.prepare_cached(SUMS).map_err(|e| fail(last, e))?),
            false => None,
        };
        // Begun before the rows, which then are of the same moment.
        let damaged = |damage: Damage| E::from(damage.of(self, ticker));
        let mut sums = match &mut summed {
            Some(statement) => {
                Some(Comparison::begin(statement, ticker, &sidx).map_err(|e| damaged(e.into()))?)
            }
            None => None,
        };
        let mut rows = statement.query((ticker, sidx.start().0, sidx.end().0)).map_err(|e| fail(last, e))?;
        while let Some(row) = rows.next().map_err(|e| fail(last, e))? {
            let column = |i: usize| row.get_ref(i).map_err(|e| fail(last, e));
            let ValueRef::Integer(sidx) = column(0)? else { continue };
            let sidx = Sidx(sidx);
            let (price, price_data) = (as_price(column(1)?), as_price_data(column(2)?));
            let bad_prices = price.is_err() || price_data.is_err();
            let (price, price_data) = (price.unwrap_or(None), price_data.unwrap_or(None));
            if bad_prices {
                warnings.bad_prices.add(sidx);
            }
            let blob = match column(3)? {
                ValueRef::Blob(x) | ValueRef::Text(x) => x,
                _ => &[],
            };
            if let Some(sums) = &mut sums {
                let prices = (columns != Columns::Submissions).then(|| sums::of_prices(price, price_data));
                let vectors = (columns != Columns::Prices).then(|| sums::of_vectors(blob));
                sums.compare(Found { sidx, prices, vectors }).map_err(damaged)?;
            }
            let submissions = decoder.decode(blob, length);
            let bad_vectors = submissions.is_err();
            if bad_vectors {
                warnings.bad_blobs.add(sidx);
            }
            let submissions = submissions.unwrap_or(Submissions::NONE);
            if visit(Row { sidx, price, price_data, submissions, blob, bad_vectors, bad_prices })?.is_break()
            {
                return Ok(warnings);
            }
            last = Some(sidx);
        }
        if let Some(sums) = sums {
            sums.end().map_err(damaged)?;
        }
        Ok(warnings)
    }
}

/// What is stored is no value of its column.
pub(super) struct BadValue;

/// A value of the column `price`.
pub(super) fn as_price(value: ValueRef<'_>) -> Result<Option<f64>, BadValue> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Real(price) => Ok(Some(price)),
        ValueRef::Integer(price) => Ok(Some(price as f64)),
        _ => Err(BadValue),
    }
}

/// A value of the column `price_data`.
pub(super) fn as_price_data(value: ValueRef<'_>) -> Result<Option<&str>, BadValue> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => std::str::from_utf8(text).map(Some).map_err(|_| BadValue),
        _ => Err(BadValue),
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::Ledger;
    use super::*;

    #[test]
    fn a_bad_blob_costs_its_row_only() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let put = "INSERT INTO challenge_data (ticker, sidx, price, price_data, embeddings) VALUES ('A', ?1, ?2, ?3, ?4)";
        let good: &[u8] = b"[\"5A\"]\0\x00\x3c";
        ledger.conn.execute(put, (7, 1.5, None::<String>, good)).unwrap();
        ledger.conn.execute(put, (8, 0, "{}", &good[1..])).unwrap();
        ledger.conn.execute(put, (9, "dear", None::<String>, b"")).unwrap();
        ledger.conn.execute(put, (10, None::<f64>, b"{}", good)).unwrap();
        let mut seen = Vec::new();
        let warnings = ledger
            .rows("A", Sidx::MIN..=Sidx::MAX, 1, |row: Row<'_>| {
                seen.push((row.sidx.0, row.price, row.price_data.is_some(), row.submissions.len()));
                Ok::<_, LedgerError>(ControlFlow::Continue(()))
            })
            .unwrap();
        assert_eq!(
            seen,
            [(7, Some(1.5), false, 1), (8, Some(0.0), true, 0), (9, None, false, 0), (10, None, false, 1)]
        );
        assert_eq!(warnings.bad_blobs, Tally { count: 1, first_sidx: Some(Sidx(8)) });
        assert_eq!(warnings.bad_prices, Tally { count: 2, first_sidx: Some(Sidx(9)) });
    }
}
