//! Which barrier is hit first.

use crate::HitFirst;
use mantis_kit::prices::LogPrices;
use mantis_kit::rolling;
use mantis_plugin_api::{Label, Market, PluginError, Reading, Targets};

/// What the price does first within the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// It reaches the upper barrier.
    Up,
    /// It reaches the lower barrier.
    Down,
    /// Neither.
    Neither,
}

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Rows of the market with a price, ascending.
    pub priced: Vec<usize>,
    /// Those with a label, ascending.
    pub rows: Vec<usize>,
    /// What happened after it.
    pub hits: Vec<Hit>,
}

impl Label for HitFirst {
    type Labels = Labels;

    /// Labels every row with a full horizon and a standard deviation (scoring: hitfirst).
    ///
    /// The standard deviation of a row looks at returns that end one horizon after it: the network's rule.
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let ahead = self.spec.rows_ahead();
        let prices = LogPrices::newest(market, self.params.max_rows);
        let mut labels = Labels::default();
        if prices.rows.len() < self.params.min_rows {
            labels.priced = prices.rows;
            return Ok(labels);
        }
        let sigma = rolling::rolling_std(&prices.returns(ahead), self.params.sigma_rows);
        for (t, &sigma) in sigma.iter().enumerate() {
            if sigma.is_finite() && sigma > 0.0 {
                let logs = &prices.logs[t..=t + ahead];
                labels.rows.push(prices.rows[t]);
                labels.hits.push(first_hit(logs[0], &logs[1..], self.params.sigmas * sigma));
            }
        }
        labels.priced = prices.rows;
        Ok(labels)
    }

    fn targets(&self, _: &Market, labels: &Labels) -> Option<Targets> {
        let mut targets = Targets::new(Reading::Classes { classes: 3 });
        for (row, hit) in labels.rows.iter().zip(&labels.hits) {
            let t = labels.priced.binary_search(row).ok()?;
            let known = *labels.priced.get(t + self.spec.rows_ahead())?;
            targets.push(*row, known, [Some(*hit as u16)]);
        }
        Some(targets)
    }
}

fn first_hit(now: f64, path: &[f64], barrier: f64) -> Hit {
    // A barrier is positive, so no row can be beyond both.
    for log in path {
        if log - now >= barrier {
            return Hit::Up;
        }
        if log - now <= -barrier {
            return Hit::Down;
        }
    }
    Hit::Neither
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec};
    use mantis_plugin_api::{Challenge, Solver};

    #[test]
    fn the_earlier_barrier_wins() {
        assert_eq!(first_hit(0.0, &[0.5, 1.0, -2.0], 1.0), Hit::Up);
        assert_eq!(first_hit(0.0, &[0.5, -1.0, 2.0], 1.0), Hit::Down);
        assert_eq!(first_hit(0.0, &[0.5, -0.5], 1.0), Hit::Neither);
    }

    #[test]
    fn labels_rows_with_a_price_a_horizon_and_a_deviation() {
        let spec = spec(3, 2, Solver::Exact);
        let params = Params { min_rows: 5, sigma_rows: 3, ..Params::default() };
        let challenge = HitFirst { params, ..HitFirst::configure(spec, &Default::default()).unwrap() };
        let prices = [1.0, f64::NAN, 2.0, 1.0, 0.0, 3.0, 1.0, 9.0, 1.0, 1.0];
        let market = MarketBuilder::new(1).rows(prices.map(|price| [price])).future(1).build();
        let labels = challenge.label(&market).unwrap();
        // Five returns of two rows; three of them have a deviation of three.
        assert_eq!(labels.priced, [0, 2, 3, 5, 6, 7, 8]);
        assert_eq!(labels.rows, [3, 5, 6]);
        assert_eq!(labels.hits[2], Hit::Up);
    }
}
