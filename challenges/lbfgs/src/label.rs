//! The bucket of each row's return, and how far the price strayed.

use crate::{BUCKETS, LEVELS, Lbfgs, Params};
use mantis_kit::prices::LogPrices;
use mantis_kit::rolling;
use mantis_plugin_api::{Label, Market, PluginError, Reading, Targets};

/// Keeps quotients finite.
const EPS: f64 = 1e-12;

/// A row with a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Row of the market.
    pub row: usize,
    /// Index among the rows with a price.
    pub t: usize,
    /// 0 to 4.
    pub bucket: u8,
    /// For a tail bucket: whether the price strayed by each level towards that tail's side within the horizon. `None`
    /// in the middle bucket, and if the longer deviation is not known.
    pub strayed: Option<[bool; LEVELS]>,
}

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Rows with a price, ascending.
    pub priced: Vec<usize>,
    /// Rows with a bucket, ascending.
    pub rows: Vec<Row>,
}

impl Label for Lbfgs {
    type Labels = Labels;

    /// Puts every row with a full horizon and a past deviation into a bucket, and measures the excursions of those in a
    /// tail (scoring: lbfgs).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let ahead = self.spec.rows_ahead();
        let prices = LogPrices::newest(market, self.params.max_rows);
        let LogPrices { rows: priced, logs } = &prices;
        let mut rows = Vec::new();
        if priced.len() < self.params.min_rows {
            return Ok(Labels { priced: prices.rows, rows });
        }
        let returns = prices.returns(ahead);
        let past = rolling::rolling_std(&returns, self.params.bucket_sigma_rows);
        let long = rolling::rolling_std(&returns, self.params.excursion_sigma_rows);
        for t in ahead..returns.len() {
            // One horizon back: the newest deviation that is known at t.
            let sigma = past[t - ahead];
            if !is_deviation(sigma) {
                continue;
            }
            let bucket = bucket(returns[t] / (sigma + EPS), &self.params);
            let strayed = (bucket != BUCKETS / 2 && t > 0 && is_deviation(long[t]))
                .then(|| strayed(bucket, logs[t - 1], &logs[t..=t + ahead], long[t], &self.params));
            rows.push(Row { row: priced[t], t, bucket: bucket as u8, strayed });
        }
        Ok(Labels { priced: prices.rows, rows })
    }

    fn targets(&self, _: &Market, labels: &Labels) -> Option<Targets> {
        let mut targets = Targets::new(Reading::Classes { classes: BUCKETS as u16 });
        for row in &labels.rows {
            let known = *labels.priced.get(row.t + self.spec.rows_ahead())?;
            targets.push(row.row, known, [Some(u16::from(row.bucket))]);
        }
        Some(targets)
    }
}

fn is_deviation(sigma: f64) -> bool {
    sigma.is_finite() && sigma > 0.0
}

fn bucket(z: f64, params: &Params) -> usize {
    if z <= -params.outer_z {
        0
    } else if z < -params.inner_z {
        1
    } else if z <= params.inner_z {
        2
    } else if z < params.outer_z {
        3
    } else {
        4
    }
}

/// Whether the furthest log price on the bucket's side of `base` is at least each level away from it.
fn strayed(bucket: usize, base: f64, path: &[f64], sigma: f64, params: &Params) -> [bool; LEVELS] {
    let levels = [params.level_1, params.level_2, params.level_3];
    if bucket < BUCKETS / 2 {
        // The network's rule, kept: falling buckets are measured by the highest price.
        let up = path.iter().copied().fold(f64::NEG_INFINITY, f64::max) - base;
        levels.map(|level| up >= level * sigma)
    } else {
        let down = path.iter().copied().fold(f64::INFINITY, f64::min) - base;
        levels.map(|level| down <= -(level * sigma))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec};
    use mantis_plugin_api::{Challenge, Solver};

    #[test]
    fn buckets_close_towards_the_tails() {
        let bucket = |z| bucket(z, &Params::default());
        assert_eq!(
            [-3.0, -2.0, -1.999, -1.001, -1.0, 0.0, 1.0, 1.001, 1.999, 2.0].map(bucket),
            [0, 0, 1, 1, 2, 2, 2, 3, 3, 4]
        );
    }

    #[test]
    fn excursions_are_measured_from_the_row_before() {
        let params = Params::default();
        assert_eq!(strayed(1, 0.0, &[-1.0, 1.0, 0.0], 1.0, &params), [true, true, false]);
        assert_eq!(strayed(4, 0.5, &[0.0, 1.0], 1.0, &params), [true, false, false]);
        assert_eq!(strayed(3, 0.0, &[-2.0, 9.0], 1.0, &params), [true; 3]);
    }

    #[test]
    fn a_bucket_needs_a_deviation_one_horizon_ago() {
        let spec = spec(17, 2, Solver::Exact);
        let params =
            Params { min_rows: 5, bucket_sigma_rows: 3, excursion_sigma_rows: 6, ..Params::default() };
        let challenge = Lbfgs { params, ..Lbfgs::configure(spec, &Default::default()).unwrap() };
        let mut prices: Vec<f64> = (0..12).map(|i| f64::from(1 + (i * i) % 7)).collect();
        prices[1] = f64::NAN;
        prices[9] = 100.0;
        let market = MarketBuilder::new(1).rows(prices.iter().map(|&price| [price])).build();
        let labels = challenge.label(&market).unwrap();
        // 11 priced rows, 9 returns; the third return's deviation serves row 4, the last row with a return is 8.
        assert_eq!(labels.priced.len(), 11);
        let found: Vec<(usize, usize)> = labels.rows.iter().map(|row| (row.t, row.row)).collect();
        assert_eq!(found, [(4, 5), (5, 6), (6, 7), (7, 8), (8, 9)]);
        assert!(labels.rows[0].strayed.is_none(), "six returns are there from t = 5 only");
        let jump = labels.rows.iter().find(|row| row.bucket == 4).unwrap();
        assert!(jump.t == 6 && jump.strayed.is_some(), "{labels:?}");
    }
}
