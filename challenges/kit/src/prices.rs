//! Log prices of one asset, and what they become over a horizon (scoring: hitfirst) (scoring: lbfgs).

use crate::math;
use mantis_plugin_api::Market;

/// Keeps logarithms finite.
const EPS: f64 = 1e-12;

/// The rows of a single-asset market that have a price, and its logarithm there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPrices {
    /// Row of the market, ascending.
    pub rows: Vec<usize>,
    /// `ln(price + 1e-12)` in each of them.
    pub logs: Vec<f64>,
}

impl LogPrices {
    /// Of the rows that may be scored and have a [usable](Market::usable) price, the newest `max_rows`.
    #[must_use]
    pub fn newest(market: &Market, max_rows: usize) -> Self {
        let price = |row| Some((row, math::ln(market.usable(row, 0)? + EPS)));
        let mut priced: Vec<(usize, f64)> = market.scored().filter_map(price).collect();
        priced.drain(..priced.len().saturating_sub(max_rows));
        let (rows, logs) = priced.into_iter().unzip();
        Self { rows, logs }
    }

    /// Log return from each row to the one that comes `ahead` rows later, for all that have one.
    #[must_use]
    pub fn returns(&self, ahead: usize) -> Vec<f64> {
        self.logs.iter().skip(ahead).zip(&self.logs).map(|(later, now)| later - now).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MarketBuilder;

    #[test]
    fn rows_without_a_price_are_not_there() {
        let e = std::f64::consts::E;
        let prices = [1.0, f64::NAN, e, 0.0, -1.0, e * e, 1.0, 7.0];
        let market = MarketBuilder::new(1).rows(prices.map(|price| [price])).future(1).build();
        let all = LogPrices::newest(&market, 10);
        assert_eq!(all.rows, [0, 2, 5, 6]);
        let close = |found: &[f64], expected: &[f64]| {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-11)
        };
        assert!(close(&all.logs, &[0.0, 1.0, 2.0, 0.0]), "{all:?}");
        assert!(close(&all.returns(2), &[2.0, -1.0]));
        assert!(all.returns(4).is_empty() && all.returns(9).is_empty());
        assert_eq!(LogPrices::newest(&market, 3).rows, [2, 5, 6]);
    }
}
