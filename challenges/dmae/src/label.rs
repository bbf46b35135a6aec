//! Which rows count, and the return that follows each.

use crate::Dmae;
use mantis_plugin_api::{Label, Market, PluginError};

/// The rows that count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// Rows of the market, ascending.
    pub rows: Vec<usize>,
    /// The return over one horizon from each, in per cent.
    pub targets: Vec<f32>,
    /// Rows after those that count as soon as the price one horizon later is there.
    pub waiting: Vec<usize>,
}

impl Labels {
    /// All rows before the one that comes next, those that still wait too, with a target of 0; of the score in which it is the
    /// last of `max_rows`. `None` if there are none.
    pub(crate) fn with_next(&self, max_rows: usize) -> Option<Self> {
        let mut rows: Vec<usize> = self.rows.iter().chain(&self.waiting).copied().collect();
        let mut targets = self.targets.clone();
        targets.resize(rows.len(), 0.0);
        let excess = (rows.len() + 1).saturating_sub(max_rows);
        if excess >= rows.len() {
            return None;
        }
        rows.drain(..excess);
        targets.drain(..excess);
        Some(Self { rows, targets, waiting: Vec::new() })
    }

    /// The first rows alone.
    pub(crate) fn first(&self, rows: usize) -> Self {
        let (rows, targets) = (self.rows[..rows].to_vec(), self.targets[..rows].to_vec());
        Self { rows, targets, waiting: Vec::new() }
    }
}

impl Label for Dmae {
    type Labels = Labels;

    /// Keeps the rows of the grid with a price that is not frozen, a price one horizon later (past the last scored row too),
    /// and somebody's numbers (scoring: dmae, rows).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        let (ahead, stride) = (self.spec.rows_ahead() as i64, self.params.stride as i64);
        let mut labels = Labels::default();
        let end = market.sidx.last().copied().unwrap_or(i64::MIN);
        let (mut last, mut streak) = (f64::NAN, 0);
        for row in market.scored() {
            let Some(price) = market.usable(row, 0) else {
                last = f64::NAN;
                continue;
            };
            // Counted before any row is left out.
            streak = if price == last { streak + 1 } else { 0 };
            last = price;
            let sidx = market.sidx[row];
            if sidx.rem_euclid(stride) != 0 || streak > self.params.freeze_limit || !market.submitted[row] {
                continue;
            }
            let due = sidx.saturating_add(ahead);
            if due > end {
                labels.waiting.push(row);
                continue;
            }
            let later = market.row_of(due).and_then(|row| market.usable(row, 0));
            if let Some(later) = later {
                labels.rows.push(row);
                labels.targets.push(target(price, later, self.params.clip));
            }
        }
        let excess = labels.rows.len().saturating_sub(self.params.max_rows);
        labels.rows.drain(..excess);
        labels.targets.drain(..excess);
        Ok(labels)
    }
}

/// The return in per cent. Prices can be so far apart that it is infinite: the bound holds then, too.
fn target(price: f64, later: f64, clip: f64) -> f32 {
    (100.0 * (later / price - 1.0)).clamp(-clip, clip) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec};
    use mantis_plugin_api::{Challenge, Solver};

    fn challenge(params: Params) -> Dmae {
        Dmae { params, ..Dmae::configure(spec(1, 2, Solver::Exact), &Default::default()).unwrap() }
    }

    #[test]
    fn the_grid_goes_by_sampled_blocks() {
        let prices = [[100.0], [101.0], [102.0], [103.0], [f64::NAN], [105.0], [106.0]];
        let params = Params { stride: 2, ..Params::default() };
        // Sampled blocks 0 to 3, 6 to 8: of 0, 2, 6, 8 the second has no later row and the last no future.
        let market = MarketBuilder::new(1).rows(&prices[..4]).gap(2).rows(&prices[3..6]).build();
        assert_eq!(market.sidx, [0, 1, 2, 3, 6, 7, 8]);
        let labels = challenge(params.clone()).label(&market).unwrap();
        let later = (100.0 * (105.0f64 / 103.0 - 1.0)) as f32;
        assert_eq!(labels, Labels { rows: vec![0, 4], targets: vec![2.0, later], waiting: vec![6] });
        let newest = Params { max_rows: 1, ..params };
        assert_eq!(challenge(newest).label(&market).unwrap().rows, [4]);
    }

    #[test]
    fn frozen_silent_and_unpriced_rows_are_left_out() {
        let params = Params { stride: 1, freeze_limit: 1, ..Params::default() };
        let market = MarketBuilder::new(1)
            .rows([[1.0], [1.0], [1.0], [2.0]])
            .silent_row(&[3.0])
            .rows([[4.0], [f64::NAN]]);
        let market = market.rows([[5.0], [6.0], [7.0]]).future(2).build();
        // 0 and 1 repeat at most once; 3 is priced two rows later, 5 too, 4 is silent, 6 has no price, 7 looks into the future.
        assert_eq!(challenge(params).label(&market).unwrap().rows, [0, 1, 3, 5, 7]);
    }

    #[test]
    fn targets_are_bounded() {
        assert_eq!((target(1e-300, 1e300, 10.0), target(1e300, 1e-300, 10.0)), (10.0, -10.0));
        assert_eq!(target(100.0, 101.0, 0.5), 0.5);
    }
}
