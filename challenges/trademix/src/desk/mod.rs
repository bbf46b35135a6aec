//! The desk: a model that mixes the seeds' positions into predictions, and trades them.
//!
//! Each model is a function from a fold and an asset to what the desk's profit on the test rows loses without each
//! seed. Leaving one out is fitting again with the seed's column replaced by the median of all; each model does that
//! by touching only what depends on the seed.

mod gbdt;
mod mix;
mod moe;
mod skillw;
mod trees;

use crate::Params;
use mantis_kit::math;
use std::cell::RefCell;
use std::ops::Range;

pub(crate) use mix::Mix;

/// What the desk's profit in one fold and asset loses without each seed.
pub(crate) type Losses = fn(&Field, &Fold, usize) -> Vec<f64>;

/// The model of a name that the parameter `meta_model` allows.
pub(crate) fn model(name: &str) -> Losses {
    match name {
        "gbdt" => gbdt::losses,
        "moe" => moe::losses,
        _ => skillw::losses,
    }
}

/// What the desk can mix.
pub(crate) struct Field<'a> {
    /// Positions of each seed, by asset and row.
    pub(crate) seeds: Vec<&'a [Vec<f32>]>,
    /// Row-wise median over all columns of all seeds.
    pub(crate) median: Vec<f64>,
    /// Returns by asset and row.
    pub(crate) returns: &'a [Vec<Option<f64>>],
    /// Rows of one rebalance.
    pub(crate) step: usize,
    pub(crate) params: &'a Params,
}

/// One walk-forward fold: trained on all rows before its test rows.
pub(crate) struct Fold {
    pub(crate) test: Range<usize>,
    /// Rows to learn from: before the test rows, with a return of every asset.
    pub(crate) rows: Vec<usize>,
    /// If it is wanted, what the desk with all seeds held: asset, row, holding.
    pub(crate) held: Option<RefCell<Vec<(usize, usize, f64)>>>,
}

impl Fold {
    pub(crate) fn new(field: &Field, test: Range<usize>) -> Self {
        let has_all = |t: &usize| field.returns.iter().all(|of_asset| of_asset[*t].is_some());
        Self { rows: (0..test.start).filter(has_all).collect(), test, held: None }
    }

    /// Test rows where the desk changes its position.
    fn rebalances(&self, step: usize) -> impl Iterator<Item = usize> + use<> {
        (self.test.start..self.test.end.saturating_sub(step)).step_by(step)
    }
}

impl Field<'_> {
    /// Returns of an asset in rows that have them.
    fn returns_at(&self, asset: usize, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&t| self.returns[asset][t].unwrap_or(0.0)).collect()
    }

    /// Profit on the test rows of predictions, given at each rebalance and squashed by how far they spread on the
    /// train rows (scoring: trademix, desk model). Entering pays the fee; leaving at the end does not.
    fn profit(&self, fold: &Fold, asset: usize, spread: f64, predictions: impl Iterator<Item = f64>) -> f64 {
        let mut before = 0.0;
        let mut profit = 0.0;
        for (t, prediction) in fold.rebalances(self.step).zip(predictions) {
            let now = holding(prediction, spread);
            if let Some(of_asset) = self.returns[asset][t] {
                profit += now * of_asset - self.params.fee * (now - before).abs();
            }
            before = now;
        }
        profit
    }

    /// The same of the desk with all its seeds.
    fn profit_with_all(&self, fold: &Fold, asset: usize, spread: f64, predictions: &[f64]) -> f64 {
        if let Some(held) = &fold.held {
            let rows = fold.rebalances(self.step).zip(predictions);
            held.borrow_mut().extend(rows.map(|(t, &prediction)| (asset, t, holding(prediction, spread))));
        }
        self.profit(fold, asset, spread, predictions.iter().copied())
    }
}

/// What the desk holds by a prediction.
fn holding(prediction: f64, spread: f64) -> f64 {
    math::tanh(prediction / (spread + 1e-8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebalance_without_a_return_is_skipped_but_still_moves() {
        let params = Params { fee: 0.01, ..Params::default() };
        let returns = [vec![Some(0.0), Some(0.1), None, Some(0.1), Some(0.5)]];
        let field = Field { seeds: vec![], median: vec![], returns: &returns, step: 1, params: &params };
        let fold = Fold::new(&field, 1..5);
        assert_eq!(fold.rows, [0]);
        let high = math::tanh(1.0 / (1.0 + 1e-8));
        let profit = field.profit(&fold, 0, 1.0, [1.0, -1.0, 1.0, 9.0].into_iter());
        // Entered at row 1, turned unseen at row 2, turned back at row 3; row 4 is within one step of the end.
        let expected = (high * 0.1 - 0.01 * high) + (high * 0.1 - 0.01 * 2.0 * high);
        assert!((profit - expected).abs() < 1e-15, "{profit} {expected}");
    }
}
