//! The rows that the desk trades, and returns over the horizon.

use mantis_kit::math;
use mantis_plugin_api::Market;

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Rows with a price, before the window is cut.
    pub priced_rows: usize,
    /// Row of the market, ascending.
    pub rows: Vec<usize>,
    /// Per asset and row: log return over the horizon; `None` if a price is missing, or the future.
    pub returns: Vec<Vec<Option<f64>>>,
}

impl Window {
    /// Pairs each of the newest `window_rows` rows with a price with the one that is `ahead` rows later (scoring: trademix).
    pub(crate) fn new(market: &Market, ahead: usize, window_rows: usize) -> Self {
        let mut rows = market.priced_rows();
        let priced_rows = rows.len();
        rows.drain(..priced_rows.saturating_sub(window_rows));
        let between = |t: usize, asset: usize| {
            let (now, later) = (market.usable(rows[t], asset)?, market.usable(*rows.get(t + ahead)?, asset)?);
            let log_return = math::ln(later / now);
            // Prices at both ends of what a number can hold have no ratio that is one.
            log_return.is_finite().then_some(log_return)
        };
        let of_asset = |asset| (0..rows.len()).map(|t| between(t, asset)).collect();
        let returns = (0..market.assets).map(of_asset).collect();
        Self { priced_rows, rows, returns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MarketBuilder;

    fn window(prices: &[[f64; 2]], scored_rows: usize, window_rows: usize) -> Window {
        let market = MarketBuilder::new(2).rows(prices).future(prices.len() - scored_rows).build();
        Window::new(&market, 2, window_rows)
    }

    #[test]
    fn a_return_pairs_rows_that_count_and_sees_nothing_past_the_scored_ones() {
        let e = std::f64::consts::E;
        let prices = [[1.0, 2.0], [0.0, f64::NAN], [e, 2.0], [1.0, 0.0], [1.0, 2.0 * e], [9.0, 9.0]];
        let window = window(&prices, 5, 100);
        // Row 1 has no price at all; the rows beside it are neighbours.
        assert_eq!((window.priced_rows, window.rows), (4, vec![0, 2, 3, 4]));
        assert_eq!(window.returns[0], [Some(0.0), Some(-1.0), None, None]);
        assert_eq!(window.returns[1], [None, Some(1.0), None, None]);
    }

    #[test]
    fn a_ratio_that_no_number_holds_is_no_return() {
        let window = window(&[[1e300, 1e-300], [1.0, 1.0], [1e-300, 1e300]], 3, 240);
        assert_eq!((window.returns[0][0], window.returns[1][0]), (None, None));
    }

    #[test]
    fn keeps_the_newest_rows() {
        let prices: Vec<[f64; 2]> = (1..=300).map(|i| [f64::from(i), 1.0]).collect();
        let window = window(&prices, 300, 240);
        assert_eq!((window.priced_rows, window.rows.len(), window.rows[0]), (300, 240, 60));
        assert_eq!(window.returns[0].iter().flatten().count(), 238);
    }
}
