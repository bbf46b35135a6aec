//! Prices that were hardly to be believed, and those before a row.

use super::schema::has_table;
use super::{Ledger, LedgerError};
use mantis_config::Sidx;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A price of the feed that is hardly to be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubtfulPrice {
    /// The ticker whose row it belongs to.
    pub ticker: String,
    /// The row.
    pub sidx: Sidx,
    /// The asset; empty for a ticker with one price.
    pub asset: String,
    /// What the feed said.
    pub price: f64,
    /// What was usual, if that is known.
    pub usual: Option<f64>,
    /// Why, as a word: `bounds` or `jump`.
    pub code: String,
    /// Whether it is in the row; else the row has none.
    pub stored: bool,
}

impl Ledger {
    /// What the feed said in the rows of a ticker before this one, at most `rows` back, by asset (empty for a ticker with
    /// one price), oldest first. What was hardly to be believed is among it, whether it was stored or not.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn prices_before(
        &self,
        ticker: &str,
        sidx: Sidx,
        rows: i64,
    ) -> Result<BTreeMap<String, Vec<f64>>, LedgerError> {
        let mut found: BTreeMap<(String, Sidx), f64> = BTreeMap::new();
        let range = sidx - rows..=sidx - 1;
        self.prices(ticker, range, |row| {
            let prices =
                row.all_prices().into_iter().filter(|(asset, price)| asset.is_some() || *price != 0.0);
            found.extend(prices.map(|(asset, price)| ((asset.unwrap_or_default(), row.sidx), price)));
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        })?;
        for doubtful in self.doubtful(sidx - rows)? {
            if doubtful.ticker == ticker && doubtful.sidx < sidx {
                found.insert((doubtful.asset, doubtful.sidx), doubtful.price);
            }
        }
        let mut prices: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for ((asset, _), price) in found {
            prices.entry(asset).or_default().push(price);
        }
        Ok(prices)
    }

    /// The prices that were hardly to be believed, from a row on, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn doubtful(&self, from: Sidx) -> Result<Vec<DoubtfulPrice>, LedgerError> {
        const TABLE: &str = "host_doubtful_prices";
        if !has_table(&self.conn, &self.path, TABLE)? {
            return Ok(Vec::new());
        }
        let sql = "SELECT ticker, sidx, asset, price, usual, code, stored FROM host_doubtful_prices
            WHERE sidx >= ?1 ORDER BY sidx, ticker, asset";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(DoubtfulPrice {
                ticker: row.get(0)?,
                sidx: Sidx(row.get(1)?),
                asset: row.get(2)?,
                price: row.get(3)?,
                usual: row.get(4)?,
                code: row.get(5)?,
                stored: row.get(6)?,
            })
        };
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_map([from.0], read)?.collect())
            .map_err(|e| LedgerError::sqlite(&self.path, format!("the table {TABLE}"), e))
    }
}

pub(super) fn write(tx: &Connection, doubtful: &[DoubtfulPrice]) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO host_doubtful_prices (ticker, sidx, asset, price, usual, code, stored)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut insert = tx.prepare_cached(sql)?;
    // SQLite has no NaN, and takes it for NULL.
    for one in doubtful.iter().filter(|one| !one.price.is_nan()) {
        let values = (&one.ticker, one.sidx.0, &one.asset, one.price, one.usual, &one.code, one.stored);
        insert.execute(values)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRow, Sample, SampledBlock};

    #[test]
    fn what_the_feed_said_is_found_whether_it_is_stored_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for k in 0..6 {
            let wrong = k == 3;
            let one = NewRow {
                ticker: "A".into(),
                price: Some(if wrong { 0.0 } else { 10.0 }),
                ..NewRow::default()
            };
            let prices = vec![("X".to_owned(), 1.0), ("Y".to_owned(), 2.0)];
            let many = NewRow { ticker: "B".into(), price_data: Some(prices), ..NewRow::default() };
            let doubtful = DoubtfulPrice {
                ticker: "A".into(),
                sidx: Sidx(k),
                asset: String::new(),
                price: 1e308,
                usual: Some(10.0),
                code: "bounds".into(),
                stored: false,
            };
            let block = Sidx(k).block(5);
            let step = SampledBlock { block, sidx: Sidx(k), rows: vec![one, many] };
            let doubtful = if wrong { vec![doubtful] } else { Vec::new() };
            ledger.sample(&Sample { step, doubtful, ..Sample::default() }).unwrap();
        }
        let single = ledger.prices_before("A", Sidx(5), 3).unwrap();
        assert_eq!(single[""], [10.0, 1e308, 10.0]);
        let several = ledger.prices_before("B", Sidx(5), 2).unwrap();
        assert_eq!((&several["X"][..], &several["Y"][..]), (&[1.0, 1.0][..], &[2.0, 2.0][..]));
        assert_eq!(ledger.doubtful(Sidx(0)).unwrap().len(), 1);
        assert_eq!(ledger.doubtful(Sidx(4)).unwrap(), []);
        let horizon = crate::Horizon { block: Sidx(4).block(5), sidx: Sidx(4), ..crate::Horizon::default() };
        while ledger.prune(&horizon, 100).unwrap() > 0 {}
        assert_eq!(ledger.doubtful(Sidx(0)).unwrap(), []);
    }
}
