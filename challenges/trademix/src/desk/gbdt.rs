//! Boosted regression trees that predict an asset's return from the seeds' positions in it.

use super::trees::{Settings, Tree, bin_ends, bin_of, grow};
use super::{Field, Fold};
use crate::moments::spread;
use mantis_kit::math;

/// Losses without each seed.
///
/// The trees may always split on the median of all positions too. So a seed whose column becomes the median's only
/// takes its own away, and what was grown before the first split on it stays as it is.
pub(super) fn losses(field: &Field, fold: &Fold, asset: usize) -> Vec<f64> {
    let params = field.params;
    let settings = Settings {
        trees: params.gbdt_trees,
        depth: params.gbdt_depth,
        learning_rate: params.gbdt_learning_rate,
        min_leaf: params.gbdt_min_leaf,
        bins: params.gbdt_bins,
    };
    let samples: Vec<usize> = fold.rows.iter().copied().step_by(params.gbdt_every).collect();
    let rebalances: Vec<usize> = fold.rebalances(field.step).collect();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    let mut add = |position: &dyn Fn(usize) -> f64| {
        let values: Vec<f64> = samples.iter().map(|&t| position(t)).collect();
        let ends = bin_ends(&values, settings.bins);
        train.push(values.iter().map(|&x| bin_of(x, &ends)).collect::<Vec<u8>>());
        test.push(rebalances.iter().map(|&t| bin_of(position(t), &ends)).collect::<Vec<u8>>());
    };
    for seed in &field.seeds {
        add(&|t| f64::from(seed[asset][t]));
    }
    add(&|t| field.median[t]);
    // Around their mean: without a split the desk holds nothing, for any drift of the price.
    let mut target = field.returns_at(asset, &samples);
    let mean = math::sum(&target) / target.len().max(1) as f64;
    target.iter_mut().for_each(|r| *r -= mean);

    let profit = |trees: &[Tree]| {
        let predict = |columns: &[Vec<u8>], i: usize| -> f64 {
            trees.iter().map(|tree| tree.value(|column| columns[column][i])).sum()
        };
        let mut known: Vec<f64> = (0..samples.len()).map(|i| predict(&train, i)).collect();
        let spread = spread(&mut known);
        field.profit(fold, asset, spread, (0..rebalances.len()).map(|i| predict(&test, i)))
    };
    let whole = grow(&train, &target, None, &[], &settings);
    let with_all = profit(&whole);
    let loss = |seed: usize| match whole.iter().position(|tree| tree.uses(seed)) {
        None => 0.0,
        Some(first) => with_all - profit(&grow(&train, &target, Some(seed), &whole[..first], &settings)),
    };
    (0..field.seeds.len()).map(loss).collect()
}
