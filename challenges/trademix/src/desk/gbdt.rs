//! Boosted regression trees that predict an asset's return from the seeds' positions in it.

use super::trees::{Settings, Tree, bin_ends, bin_of, grow};
use super::{Field, Fold, holding};
use crate::moments::spread;
use mantis_kit::math;
use serde::{Deserialize, Serialize};

/// Losses without each seed.
///
/// The trees may always split on the median of all positions too. So a seed whose column becomes the median's only
/// takes its own away, and what was grown before the first split on it stays as it is.
pub(super) fn losses(field: &Field, fold: &Fold, asset: usize) -> Vec<f64> {
    let learnt = Learnt::new(field, fold, asset);
    let rebalances: Vec<usize> = fold.rebalances(field.step).collect();
    let test: Vec<Vec<u8>> = learnt
        .ends
        .iter()
        .enumerate()
        .map(|(column, ends)| {
            rebalances.iter().map(|&t| bin_of(position(field, asset, column, t), ends)).collect()
        })
        .collect();
    let predictions = |trees: &[Tree]| -> Vec<f64> {
        (0..rebalances.len()).map(|i| predict(trees, |column| test[column][i])).collect()
    };
    let whole = learnt.grow(None, &[]);
    let with_all = field.profit_with_all(fold, asset, learnt.spread(&whole), &predictions(&whole));
    let loss = |seed: usize| match whole.iter().position(|tree| tree.uses(seed)) {
        None => 0.0,
        Some(first) => {
            let trees = learnt.grow(Some(seed), &whole[..first]);
            with_all - field.profit(fold, asset, learnt.spread(&trees), predictions(&trees).into_iter())
        }
    };
    (0..field.seeds.len()).map(loss).collect()
}

/// The position of a column: a seed's, or the median of all behind them.
fn position(field: &Field, asset: usize, column: usize, row: usize) -> f64 {
    field.seeds.get(column).map_or_else(|| field.median[row], |seed| f64::from(seed[asset][row]))
}

/// What trees predict of a sample.
fn predict(trees: &[Tree], bin_of: impl Fn(usize) -> u8) -> f64 {
    trees.iter().map(|tree| tree.value(&bin_of)).sum()
}

/// What trees are grown on.
struct Learnt {
    settings: Settings,
    /// Ends of bins of each column.
    ends: Vec<Vec<f64>>,
    /// Bins of each column and sample.
    train: Vec<Vec<u8>>,
    target: Vec<f64>,
}

impl Learnt {
    fn new(field: &Field, fold: &Fold, asset: usize) -> Self {
        let params = field.params;
        let settings = Settings {
            trees: params.gbdt_trees,
            depth: params.gbdt_depth,
            learning_rate: params.gbdt_learning_rate,
            min_leaf: params.gbdt_min_leaf,
            bins: params.gbdt_bins,
        };
        let samples: Vec<usize> = fold.rows.iter().copied().step_by(params.gbdt_every).collect();
        let (mut ends, mut train) = (Vec::new(), Vec::new());
        for column in 0..=field.seeds.len() {
            let values: Vec<f64> = samples.iter().map(|&t| position(field, asset, column, t)).collect();
            let own = bin_ends(&values, settings.bins);
            train.push(values.iter().map(|&x| bin_of(x, &own)).collect());
            ends.push(own);
        }
        // Around their mean: without a split the desk holds nothing, for any drift of the price.
        let mut target = field.returns_at(asset, &samples);
        let mean = math::sum(&target) / target.len().max(1) as f64;
        target.iter_mut().for_each(|r| *r -= mean);
        Self { settings, ends, train, target }
    }

    /// Trees without a column, the first of which are there.
    fn grow(&self, skip: Option<usize>, begun: &[Tree]) -> Vec<Tree> {
        grow(&self.train, &self.target, skip, begun, &self.settings)
    }

    /// Deviation of what they predict of the samples.
    fn spread(&self, trees: &[Tree]) -> f64 {
        let known = |i: usize| predict(trees, |column| self.train[column][i]);
        spread(&mut (0..self.target.len()).map(known).collect::<Vec<f64>>())
    }
}

/// The trees of an asset, grown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trees {
    /// Ends of bins, by column: seeds and, last, the median.
    ends: Vec<Vec<f64>>,
    trees: Vec<Tree>,
    spread: f64,
}

impl Trees {
    pub(super) fn fit(field: &Field, fold: &Fold, asset: usize) -> Self {
        let learnt = Learnt::new(field, fold, asset);
        let trees = learnt.grow(None, &[]);
        Self { spread: learnt.spread(&trees), trees, ends: learnt.ends }
    }

    /// What the desk holds where the seeds have these positions.
    pub(super) fn holding(&self, positions: &[f32], median: f64) -> f64 {
        let position = |column: usize| positions.get(column).map_or(median, |&x| f64::from(x));
        holding(predict(&self.trees, |column| bin_of(position(column), &self.ends[column])), self.spread)
    }

    pub(super) fn is_sound(&self, seeds: usize) -> bool {
        self.ends.len() == seeds + 1
            && self.ends.iter().all(|ends| ends.len() < 256 && ends.iter().is_sorted_by(|a, b| a < b))
            && self.trees.iter().all(|tree| tree.is_sound(seeds + 1))
            && (0.0..f64::INFINITY).contains(&self.spread)
    }
}
