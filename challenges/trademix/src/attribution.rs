//! What the desk loses without each of its miners.

use crate::desk::{Training, test_profit};
use crate::{Labels, Params};

/// Profit that is lost without each seed, summed over folds and assets, not below 0 (scoring: trademix, attribution).
///
/// `seeds` are positions by asset and row. Leaving a seed out replaces all its columns by the row-wise median over all
/// columns of all seeds; only its own term of each weighted sum changes, so nothing else is computed again.
pub(crate) fn attribution(
    seeds: &[&[Vec<f32>]],
    labels: &Labels,
    step: usize,
    params: &Params,
    mut progress: impl FnMut(f64),
) -> Vec<f64> {
    let rows = labels.rows.len();
    let median = medians(seeds, rows);
    let mut lost = vec![0.0; seeds.len()];
    let folds = folds(rows, params);
    for (done, (train, test)) in folds.iter().enumerate() {
        if let Some(training) = Training::new(labels, 0..*train, params) {
            for asset in 0..labels.returns.len() {
                let columns: Vec<&[f32]> = seeds.iter().map(|seed| seed[asset].as_slice()).collect();
                let whole = Asset::new(&columns, &median, &training, asset, test.end, params);
                let profit = |sum: &dyn Fn(usize) -> f64, weight: f64| {
                    let prediction = |t: usize| if weight > 0.0 { sum(t) / weight } else { 0.0 };
                    test_profit(prediction, &labels.returns[asset], *train, test.clone(), step, params.fee)
                };
                let with_all = profit(&|t| whole.sums[t], whole.total);
                for (seed, lost) in lost.iter_mut().enumerate() {
                    let (own, total) =
                        (whole.weights[seed], whole.total - whole.weights[seed] + whole.median_weight);
                    let without = |t: usize| {
                        whole.sums[t] - own * f64::from(columns[seed][t])
                            + whole.median_weight * f64::from(median[t])
                    };
                    *lost += with_all - profit(&without, total);
                }
            }
        }
        progress((done + 1) as f64 / folds.len() as f64);
    }
    lost.into_iter().map(|lost| lost.max(0.0)).collect()
}

/// One asset in one fold: raw weights and the weighted sum of positions per row.
struct Asset {
    weights: Vec<f64>,
    median_weight: f64,
    total: f64,
    sums: Vec<f64>,
}

impl Asset {
    fn new(
        columns: &[&[f32]],
        median: &[f32],
        training: &Training,
        asset: usize,
        rows: usize,
        params: &Params,
    ) -> Self {
        let weights: Vec<f64> = columns.iter().map(|column| training.weight(column, asset, params)).collect();
        let mut sums = vec![0.0; rows];
        for (column, &weight) in columns.iter().zip(&weights).filter(|(_, weight)| **weight > 0.0) {
            sums.iter_mut().zip(*column).for_each(|(sum, &x)| *sum += weight * f64::from(x));
        }
        let median_weight = training.weight(median, asset, params);
        Self { total: weights.iter().sum(), median_weight, weights, sums }
    }
}

/// Train rows and test rows of each fold.
fn folds(rows: usize, params: &Params) -> Vec<(usize, std::ops::Range<usize>)> {
    let first = params.min_fold_rows.max(rows / 4);
    let size = params.min_fold_rows.max(rows.saturating_sub(first) / params.folds);
    let starts = (first..).step_by(size).take_while(|start| start + size <= rows);
    let folds: Vec<_> = starts.map(|start| (start, start..start + size)).collect();
    if folds.is_empty() { vec![(rows / 2, rows / 2..rows)] } else { folds }
}

/// Row-wise median over all columns of all seeds; with an even count, the mean of the two in the middle.
fn medians(seeds: &[&[Vec<f32>]], rows: usize) -> Vec<f32> {
    let columns: Vec<&Vec<f32>> = seeds.iter().flat_map(|seed| seed.iter()).collect();
    let mut values = vec![0.0f32; columns.len()];
    let middle = values.len() / 2;
    (0..rows)
        .map(|t| {
            values.iter_mut().zip(&columns).for_each(|(value, column)| *value = column[t]);
            let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
            if columns.len() % 2 == 1 {
                return upper;
            }
            let lower = below.iter().copied().max_by(f32::total_cmp).unwrap_or(upper);
            ((f64::from(lower) + f64::from(upper)) / 2.0) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_as_the_network_cuts_them() {
        let params = Params::default();
        let cut = folds(43_200, &params);
        assert_eq!(cut.len(), 5);
        assert_eq!(cut[0], (10_800, 10_800..17_280));
        assert_eq!(cut[4].1.end, 43_200);
        assert_eq!(folds(200, &params), [(100, 100..200)]);
    }

    #[test]
    fn medians_of_even_and_odd_counts() {
        let a = vec![vec![1.0, 5.0]];
        let b = vec![vec![3.0, 1.0]];
        let c = vec![vec![2.0, 9.0]];
        assert_eq!(medians(&[&a, &b], 2), [2.0, 3.0]);
        assert_eq!(medians(&[&a, &b, &c], 2), [2.0, 5.0]);
    }
}
