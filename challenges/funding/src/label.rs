//! Which funding rates rose more than the middle one.

use crate::Funding;
use mantis_kit::panel::Samples;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that are scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Rows with a funding rate.
    pub rows: usize,
    /// The labelled ones, from the first row to the last that has a pair.
    pub samples: Samples,
}

impl Label for Funding {
    type Labels = Labels;

    /// Compares each row that has any rate to the row nearest to one horizon later (scoring: funding).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let ahead = self.spec.rows_ahead() as i64;
        let reach = (ahead as f64 * self.params.pair_tolerance) as i64;
        let has_rate = |&row: &usize| (0..market.assets).any(|asset| market.price(row, asset).is_finite());
        let mut rows: Vec<usize> = market.scored().filter(has_rate).collect();
        rows.drain(..rows.len().saturating_sub(self.params.max_rows));
        let sidx: Vec<i64> = rows.iter().map(|&row| market.sidx[row]).collect();
        let pairs: Vec<Option<usize>> = (0..rows.len()).map(|t| pair(&sidx, t, ahead, reach)).collect();
        let end = pairs.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let mut samples = Samples::new();
        for (&row, pair) in rows.iter().zip(&pairs[..end]) {
            let Some(pair) = pair else {
                samples.skip();
                continue;
            };
            let moves: Vec<f64> = (0..market.assets)
                .map(|asset| change(market.price(row, asset), market.price(rows[*pair], asset)))
                .collect();
            samples.push(row, &moves);
        }
        Ok(Labels { rows: rows.len(), samples })
    }
}

/// The later row whose `sidx` is nearest to that of row `t` plus `ahead`, within `reach`; the earlier of two.
fn pair(sidx: &[i64], t: usize, ahead: i64, reach: i64) -> Option<usize> {
    let target = sidx[t].saturating_add(ahead);
    let above = sidx.partition_point(|&at| at < target);
    let distance = |&row: &usize| sidx[row].abs_diff(target);
    // Of equal distances `min_by_key` takes the first: the one below.
    let neighbours = [above.checked_sub(1), (above < sidx.len()).then_some(above)];
    let nearest = neighbours.into_iter().flatten().filter(|&row| row > t).min_by_key(distance)?;
    (distance(&nearest) <= reach.unsigned_abs()).then_some(nearest)
}

/// The change of a rate; NaN where one of them is missing.
fn change(now: f64, later: f64) -> f64 {
    if now.is_finite() && later.is_finite() { later - now } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::serde_json::json;
    use mantis_plugin_api::{Challenge, Solver, Spec, test_kit};

    fn challenge(ahead: u32, max_rows: usize) -> Funding {
        let assets = ["A", "B", "C"].map(String::from).to_vec();
        let spec = Spec { assets, ..test_kit::spec(1, ahead, Solver::Exact) };
        let mut challenge = Funding::configure(spec, &Default::default()).unwrap();
        challenge.params.max_rows = max_rows;
        challenge
    }

    fn market(sidx: &[i64], rate: impl Fn(usize, usize) -> f64) -> Market {
        Market {
            sidx: sidx.to_vec(),
            prices: (0..sidx.len()).flat_map(|row| [0, 1, 2].map(|asset| rate(row, asset))).collect(),
            assets: 3,
            submitted: vec![true; sidx.len()],
            scored_rows: sidx.len(),
            carried: vec![],
        }
    }

    #[test]
    fn takes_the_nearest_later_row_within_reach() {
        let sidx = [0, 1, 17, 23, 24, 41, 60];
        let found: Vec<_> = (0..7).map(|t| pair(&sidx, t, 20, 3)).collect();
        // 17 and 23 are as far from 20; 37 has nothing within 3; 43 has 41, 44 too; 61 has 60.
        assert_eq!(found, [Some(2), Some(3), None, Some(5), Some(5), Some(6), None]);
        // Never itself, however short the horizon.
        assert_eq!(pair(&[0, 5], 0, 1, 9), Some(1));
        assert_eq!(pair(&[0, 50], 0, 1, 9), None);
    }

    #[test]
    fn labels_changes_and_keeps_rows_without_a_pair() {
        let rates = [[0.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [f64::NAN, 5.0, 0.0]];
        let market = market(&[0, 50, 100, 150], |row, asset| rates[row][asset]);
        let labels = challenge(100, 1_000).label(&market).unwrap();
        // Changes 1, 3, 1 and none, 5, 0.
        assert_eq!((labels.rows, labels.samples.rows(), labels.samples.paired()), (4, 2, &[0, 1][..]));
        assert_eq!(labels.samples.above(), [false, true, false, true, false]);
        let gap = market_of_gap();
        let labels = challenge(100, 1_000).label(&gap).unwrap();
        assert_eq!((labels.samples.rows(), labels.samples.paired()), (3, &[0, 2][..]));
    }

    /// Row 1 has no pair, row 2 has one.
    fn market_of_gap() -> Market {
        market(&[0, 50, 100, 200], |row, asset| (row * asset) as f64)
    }

    #[test]
    fn rows_without_any_rate_are_not_there() {
        let market = market(&[0, 90, 100, 110], |row, _| if row == 2 { f64::INFINITY } else { row as f64 });
        let labels = challenge(100, 1_000).label(&market).unwrap();
        // 90 and 110 are as far from 100: the one below.
        assert_eq!((labels.rows, labels.samples.paired()), (3, &[0][..]));
        assert!(challenge(100, 2).label(&market).unwrap().samples.is_empty());
    }

    #[test]
    fn decodes_one_number_per_asset() {
        assert_eq!(challenge(100, 9).decode(&json!({"A": -1, "B": [-3]})).unwrap(), [-1.0, -1.0, 0.0]);
        assert!(challenge(100, 9).decode(&json!("no")).is_err());
    }
}
