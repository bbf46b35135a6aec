//! Which rows count, and whether the price rose.

use crate::Binary;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Row of the market, ascending.
    pub rows: Vec<usize>,
    /// Whether the price one horizon later is higher.
    pub rose: Vec<bool>,
}

impl Label for Binary {
    type Labels = Labels;

    /// Keeps the rows with a price, a price one horizon later (past the last scored row too), somebody's
    /// prediction, and a price that is not frozen (scoring: binary, rows).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let ahead = self.spec.rows_ahead() as i64;
        let mut labels = Labels::default();
        let (mut last, mut streak) = (f64::NAN, 0);
        for row in market.scored() {
            let price = market.price(row, 0);
            if price.is_nan() {
                continue;
            }
            // Counted over every stored price, zeros too, and before any row is dropped.
            streak = if price == last { streak + 1 } else { 0 };
            last = price;
            if !usable(price) || streak > self.params.freeze_limit || !market.submitted[row] {
                continue;
            }
            let later = market.row_of(market.sidx[row] + ahead).map(|row| market.price(row, 0));
            if let Some(later) = later.filter(|&price| usable(price)) {
                labels.rows.push(row);
                labels.rose.push(later > price);
            }
        }
        let excess = labels.rows.len().saturating_sub(self.params.max_rows);
        labels.rows.drain(..excess);
        labels.rose.drain(..excess);
        Ok(labels)
    }
}

fn usable(price: f64) -> bool {
    price.is_finite() && price > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use mantis_plugin_api::{Challenge, Solver, Spec};

    fn challenge(params: Params) -> Binary {
        let spec = Spec {
            name: "X".into(),
            ticker: "X".into(),
            dim: 2,
            assets: vec![],
            blocks_ahead: 10,
            sample_every: 5,
            seed: 42,
            solver: Solver::Exact,
        };
        Binary { params, ..Binary::configure(spec, &Default::default()).unwrap() }
    }

    fn market(prices: &[f64], scored_rows: usize) -> Market {
        Market {
            sidx: (0..prices.len() as i64).collect(),
            prices: prices.to_vec(),
            assets: 1,
            submitted: vec![true; scored_rows],
            scored_rows,
            carried: vec![],
        }
    }

    #[test]
    fn looks_one_horizon_ahead_past_the_scored_rows() {
        let labels = challenge(Params::default()).label(&market(&[1.0, 2.0, 3.0, 1.5, 2.5], 3)).unwrap();
        assert_eq!(labels.rows, [0, 1, 2]);
        assert_eq!(labels.rose, [true, false, false]);
    }

    #[test]
    fn skips_rows_without_a_price_then_or_later() {
        let prices = [1.0, f64::NAN, 0.0, 1.0, 2.0, f64::INFINITY, 3.0];
        assert_eq!(challenge(Params::default()).label(&market(&prices, 7)).unwrap().rows, [4]);
    }

    #[test]
    fn skips_a_missing_later_row_and_silent_rows() {
        let mut market = market(&[1.0, 2.0, 3.0, 4.0, 5.0], 5);
        market.sidx[2] = 100;
        market.sidx[3] = 101;
        market.sidx[4] = 102;
        market.submitted[2] = false;
        assert_eq!(challenge(Params::default()).label(&market).unwrap().rows, Vec::<usize>::new());
        market.submitted[2] = true;
        assert_eq!(challenge(Params::default()).label(&market).unwrap().rows, [2]);
    }

    #[test]
    fn skips_frozen_prices_after_the_limit() {
        let prices = [1.0, 1.0, f64::NAN, 1.0, 1.0, 2.0, 3.0, 4.0];
        let limited = challenge(Params { freeze_limit: 2, ..Params::default() });
        // The third repetition (row 4) is over the limit; the gap at row 2 does not reset the count.
        assert_eq!(limited.label(&market(&prices, 8)).unwrap().rows, [1, 3, 5]);
    }

    #[test]
    fn keeps_the_newest_rows() {
        let prices: Vec<f64> = (1..=2_000).map(f64::from).collect();
        let labels = challenge(Params { max_rows: 1_000, ..Params::default() });
        let labels = labels.label(&market(&prices, 2_000)).unwrap();
        assert_eq!((labels.rows.len(), labels.rows[0], labels.rose.len()), (1_000, 998, 1_000));
    }
}
