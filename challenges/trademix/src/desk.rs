//! The desk: a model that mixes positions by how they went with returns.

use crate::{Labels, Params};
use mantis_kit::math;
use std::ops::Range;

/// Positions that vary less count as constant.
const MIN_STD: f64 = 1e-6;

/// The rows a fold is trained on, and what they say of returns.
pub(crate) struct Training {
    /// Rows of the train slice where every asset has a return.
    rows: Vec<usize>,
    /// Per asset: returns of those rows around their mean, and the root of their sum of squares.
    returns: Vec<(Vec<f64>, f64)>,
}

impl Training {
    /// `None` where the slice has too few rows with all returns.
    pub(crate) fn new(labels: &Labels, slice: Range<usize>, params: &Params) -> Option<Self> {
        let rows: Vec<usize> = slice.filter(|&t| labels.returns.iter().all(|r| r[t].is_some())).collect();
        if rows.len() < params.min_train_rows {
            return None;
        }
        let of_asset = |asset: &Vec<Option<f64>>| {
            let values: Vec<f64> = rows.iter().map(|&t| asset[t].unwrap_or(0.0)).collect();
            centred(values)
        };
        Some(Self { returns: labels.returns.iter().map(of_asset).collect(), rows })
    }

    /// The raw weight of a column of positions for an asset: its correlation with the returns if that is above zero,
    /// times the root of a hundredth of the rows.
    pub(crate) fn weight(&self, positions: &[f32], asset: usize, params: &Params) -> f64 {
        let n = self.rows.len();
        let (values, norm) = centred(self.rows.iter().map(|&t| f64::from(positions[t])).collect());
        let (returns, returns_norm) = &self.returns[asset];
        let std = norm / (n as f64).sqrt();
        if n < params.min_corr_rows || std < MIN_STD || *returns_norm <= 0.0 {
            return 0.0;
        }
        let correlation = math::dot(&values, returns) / (norm * returns_norm);
        correlation.max(0.0) * (n as f64 / 100.0).sqrt()
    }
}

/// Values around their mean, and the root of their sum of squares.
fn centred(mut values: Vec<f64>) -> (Vec<f64>, f64) {
    let mean = math::sum(&values) / values.len().max(1) as f64;
    values.iter_mut().for_each(|x| *x -= mean);
    let norm = math::dot(&values, &values).sqrt();
    (values, norm)
}

/// Profit of one asset on the test slice, of the desk's predictions: squashed by how far they spread on the train
/// slice, rebalanced every `step` rows (scoring: trademix, desk model).
pub(crate) fn test_profit(
    prediction: impl Fn(usize) -> f64,
    returns: &[Option<f64>],
    train_rows: usize,
    test: Range<usize>,
    step: usize,
    fee: f64,
) -> f64 {
    let past: Vec<f64> = (0..train_rows).map(&prediction).collect();
    let spread = centred(past).1 / (train_rows as f64).sqrt();
    let position = |t: usize| math::tanh(prediction(t) / (spread + 1e-8));
    let mut before = 0.0;
    let mut profit = 0.0;
    for t in (test.start..test.end.saturating_sub(step)).step_by(step) {
        let now = position(t);
        if let Some(of_asset) = returns[t] {
            profit += now * of_asset - fee * (now - before).abs();
        }
        before = now;
    }
    profit
}
