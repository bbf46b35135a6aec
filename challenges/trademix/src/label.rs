//! Returns over the horizon.

use crate::TradeMix;
use mantis_kit::math;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// Rows with a price, before the window is cut.
    pub priced_rows: usize,
    /// Row of the market, ascending.
    pub rows: Vec<usize>,
    /// Per asset and row: log return over the horizon; `None` where a price is missing, or the future.
    pub returns: Vec<Vec<Option<f64>>>,
}

impl Label for TradeMix {
    type Labels = Labels;

    /// Pairs each row of the window with the one a horizon of rows later (scoring: trademix).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let assets = self.spec.assets.len();
        if market.assets != assets {
            let found = format!("{} prices per row for {assets} assets", market.assets);
            return Err(PluginError::data(found));
        }
        let priced = |row: &usize| (0..assets).any(|asset| is_price(market.price(*row, asset)));
        let mut rows: Vec<usize> = market.scored().filter(priced).collect();
        let priced_rows = rows.len();
        rows.drain(..priced_rows.saturating_sub(self.params.window_rows));
        let ahead = self.spec.rows_ahead();
        let between = |t: usize, asset: usize| {
            let (now, later) = (market.price(rows[t], asset), market.price(*rows.get(t + ahead)?, asset));
            let log_return = (is_price(now) && is_price(later)).then(|| math::ln(later / now))?;
            // Prices at both ends of what a number can hold have no ratio that is one.
            log_return.is_finite().then_some(log_return)
        };
        let of_asset = |asset| (0..rows.len()).map(|t| between(t, asset)).collect();
        let returns = (0..assets).map(of_asset).collect();
        Ok(Labels { priced_rows, rows, returns })
    }
}

fn is_price(price: f64) -> bool {
    price.is_finite() && price > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use mantis_plugin_api::{Challenge, Solver, Spec};

    fn label(prices: &[[f64; 2]], scored_rows: usize, window_rows: usize) -> Labels {
        let spec = Spec {
            name: "X".into(),
            ticker: "X".into(),
            dim: 1,
            assets: vec!["A".into(), "B".into()],
            blocks_ahead: 10,
            sample_every: 5,
            seed: 42,
            solver: Solver::Exact,
        };
        let challenge = TradeMix::configure(spec, &Default::default()).unwrap();
        let challenge = TradeMix { params: Params { window_rows, ..Params::default() }, ..challenge };
        let market = Market {
            sidx: (0..prices.len() as i64).collect(),
            prices: prices.concat(),
            assets: 2,
            submitted: vec![true; scored_rows],
            scored_rows,
            carried: vec![],
        };
        challenge.label(&market).unwrap()
    }

    #[test]
    fn a_return_pairs_rows_that_count_and_sees_nothing_past_the_scored_ones() {
        let e = std::f64::consts::E;
        let prices = [[1.0, 2.0], [0.0, f64::NAN], [e, 2.0], [1.0, 0.0], [1.0, 2.0 * e], [9.0, 9.0]];
        let labels = label(&prices, 5, 100);
        // Row 1 has no price at all; the rows beside it are neighbours.
        assert_eq!((labels.priced_rows, labels.rows), (4, vec![0, 2, 3, 4]));
        assert_eq!(labels.returns[0], [Some(0.0), Some(-1.0), None, None]);
        assert_eq!(labels.returns[1], [None, Some(1.0), None, None]);
    }

    #[test]
    fn a_ratio_that_no_number_holds_is_no_return() {
        let labels = label(&[[1e300, 1e-300], [1.0, 1.0], [1e-300, 1e300]], 3, 240);
        assert_eq!((labels.returns[0][0], labels.returns[1][0]), (None, None));
    }

    #[test]
    fn keeps_the_newest_rows() {
        let prices: Vec<[f64; 2]> = (1..=300).map(|i| [f64::from(i), 1.0]).collect();
        let labels = label(&prices, 300, 240);
        assert_eq!((labels.priced_rows, labels.rows.len(), labels.rows[0]), (300, 240, 60));
        assert_eq!(labels.returns[0].iter().flatten().count(), 238);
    }
}
