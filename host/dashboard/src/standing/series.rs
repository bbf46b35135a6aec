//! Prices of a ticker over the ledger, thinned out for a chart.

use mantis_config::{Config, QuoteKind, Sidx};
use mantis_ledger::{Ledger, LedgerError, Row};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Stretches of which the lowest and the highest price are kept: two points each.
const STRETCHES: i64 = 200;
/// Rows of a ticker with many assets that are read.
const SAMPLES: u64 = 90;

/// x and y.
type Point = (f64, f64);

/// A curve: x, 0 to 1 over the ledger's rows, and y.
pub(crate) type Points = Vec<Point>;

/// What a chart shows. y is in `unit`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// One curve per asset, by name; none for a single price.
    pub(crate) assets: Vec<(String, Points)>,
    /// The price, or the middle of the assets.
    pub(crate) main: Points,
    pub(crate) unit: Unit,
    /// First and last `sidx`.
    pub(crate) range: (Sidx, Sidx),
}

/// What y is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A price.
    Price,
    /// Change since the first price, in percent.
    Change,
    /// A rate, in percent.
    Rate,
}

/// The prices of all challenges, each ticker's once.
pub(super) fn all_series(
    ledger: &Ledger,
    config: &Config,
) -> Result<BTreeMap<String, Arc<Series>>, LedgerError> {
    let tickers = ledger.tickers()?;
    let mut all = BTreeMap::new();
    for challenge in &config.challenges {
        let name = challenge.price_ticker();
        let stored = tickers.iter().find(|ticker| ticker.ticker == name);
        let Some((rows, range)) = stored.and_then(|ticker| Some((ticker.rows, ticker.sidx?))) else {
            continue;
        };
        if all.contains_key(name) {
            continue;
        }
        let rates = challenge.quotes == QuoteKind::FundingRates;
        if let Some(series) = read_series(ledger, name, rows, range, rates)? {
            all.insert(name.to_owned(), Arc::new(series));
        }
    }
    Ok(all)
}

/// Reads the prices of a ticker with so many rows; `None` if there is nothing to draw.
fn read_series(
    ledger: &Ledger,
    ticker: &str,
    rows: u64,
    range: (Sidx, Sidx),
    rates: bool,
) -> Result<Option<Series>, LedgerError> {
    let span = (range.1 - range.0).max(1);
    let every = (rows / SAMPLES).max(1);
    let mut thin = Thin::default();
    let mut samples = Vec::new();
    let mut seen = 0;
    ledger.prices(ticker, range.0..=range.1, |row: Row<'_>| {
        let since = row.sidx - range.0;
        let x = since as f64 / span as f64;
        if let Some(price) = row.price.filter(|price| price.is_finite() && *price > 0.0) {
            thin.add(since.saturating_mul(STRETCHES) / span, x, price);
        }
        if row.price_data.is_some() {
            if seen % every == 0 {
                samples.push((x, prices_by_asset(&row, rates)));
            }
            seen += 1;
        }
        Ok::<_, LedgerError>(ControlFlow::Continue(()))
    })?;
    let single = thin.points();
    let drawn = if single.len() > 1 {
        Series { assets: Vec::new(), main: single, unit: Unit::Price, range }
    } else {
        let (assets, main) = asset_curves(&samples, rates);
        Series { assets, main, unit: if rates { Unit::Rate } else { Unit::Change }, range }
    };
    Ok((drawn.main.len() > 1).then_some(drawn))
}

/// What a chart shows of a row of many assets.
fn prices_by_asset(row: &Row<'_>, rates: bool) -> BTreeMap<String, f64> {
    let named = row.all_prices().into_iter().filter_map(|(asset, price)| Some((asset?, price)));
    named.filter(|(_, price)| price.is_finite() && (rates || *price > 0.0)).collect()
}

/// A curve per asset, and the median of them.
fn asset_curves(samples: &[(f64, BTreeMap<String, f64>)], rates: bool) -> (Vec<(String, Points)>, Points) {
    let mut curves: BTreeMap<&str, (f64, Points)> = BTreeMap::new();
    let mut middle = Vec::new();
    for (x, prices) in samples {
        let mut all = Vec::with_capacity(prices.len());
        for (asset, &price) in prices {
            let (first, points) = curves.entry(asset).or_insert((price, Vec::new()));
            let y = 100.0 * if rates { price } else { price / *first - 1.0 };
            points.push((*x, y));
            all.push(y);
        }
        all.sort_by(f64::total_cmp);
        if let Some(&high) = all.get(all.len() / 2) {
            let low = all[(all.len() - 1) / 2];
            middle.push((*x, (low + high) / 2.0));
        }
    }
    (curves.into_iter().map(|(asset, (_, points))| (asset.to_owned(), points)).collect(), middle)
}

/// The lowest and the highest of each stretch, in the order in which they came.
#[derive(Default)]
struct Thin {
    points: Points,
    /// The stretch that is being read: its number, its lowest point, its highest.
    stretch: Option<(i64, Point, Point)>,
}

impl Thin {
    fn add(&mut self, stretch: i64, x: f64, y: f64) {
        match &mut self.stretch {
            Some((now, low, high)) if *now == stretch => {
                if y < low.1 {
                    *low = (x, y);
                }
                if y > high.1 {
                    *high = (x, y);
                }
            }
            _ => {
                self.flush();
                self.stretch = Some((stretch, (x, y), (x, y)));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((_, low, high)) = self.stretch.take() {
            let (first, second) = if low.0 <= high.0 { (low, high) } else { (high, low) };
            self.points.push(first);
            if second.0 > first.0 {
                self.points.push(second);
            }
        }
    }

    fn points(mut self) -> Points {
        self.flush();
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Block;
    use mantis_ledger::{NewRow, SampledBlock};

    fn ledger(rows: i64, record: impl Fn(i64) -> NewRow) -> (tempfile::TempDir, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let step = |k| SampledBlock {
            block: Block(5 * k),
            sidx: Sidx(k),
            rows: vec![NewRow { ticker: "A".into(), ..record(k) }],
        };
        ledger.append_many((0..rows).map(step).collect::<Vec<_>>(), 1000).unwrap();
        (dir, ledger)
    }

    #[test]
    fn a_long_series_keeps_its_peaks() {
        let price = |k| {
            if k == 3_333 {
                900.0
            } else if k == 777 {
                0.0
            } else {
                100.0 + (k % 7) as f64
            }
        };
        let (_dir, ledger) = ledger(5_000, |k| NewRow { price: Some(price(k)), ..NewRow::default() });
        let drawn = read_series(&ledger, "A", 5_000, (Sidx(0), Sidx(4_999)), false).unwrap().unwrap();
        assert!(drawn.main.len() <= 402 && drawn.main.len() > 300, "{}", drawn.main.len());
        assert!(drawn.main.is_sorted_by(|a, b| a.0 < b.0));
        let ys: Vec<f64> = drawn.main.iter().map(|p| p.1).collect();
        assert!(ys.contains(&900.0) && ys.iter().all(|&y| y >= 100.0), "no price counts as none");
        assert_eq!((drawn.unit, drawn.assets.len()), (Unit::Price, 0));
    }

    #[test]
    fn assets_start_together_and_have_a_middle() {
        let data =
            |k: i64| [("X", 100 + k), ("Y", 5), ("Z", 10 + 2 * k)].map(|(a, p)| (a.to_owned(), p as f64));
        let (_dir, ledger) = ledger(3, |k| NewRow { price_data: Some(data(k).into()), ..NewRow::default() });
        let drawn = read_series(&ledger, "A", 3, (Sidx(0), Sidx(2)), false).unwrap().unwrap();
        assert_eq!(drawn.assets.len(), 3);
        assert!(drawn.assets.iter().all(|(_, curve)| curve[0] == (0.0, 0.0) && curve.len() == 3));
        assert!((drawn.main[2].1 - 2.0).abs() < 1e-9, "{:?}", drawn.main);
        let rates = read_series(&ledger, "A", 3, (Sidx(0), Sidx(2)), true).unwrap().unwrap();
        assert_eq!((rates.unit, rates.main[0].1), (Unit::Rate, 1000.0));
    }

    #[test]
    fn without_prices_there_is_no_series() {
        let (_dir, ledger) = ledger(9, |_| NewRow { price: Some(0.0), ..NewRow::default() });
        assert_eq!(read_series(&ledger, "A", 9, (Sidx(0), Sidx(8)), false).unwrap(), None);
    }
}
