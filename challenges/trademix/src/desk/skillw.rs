//! The default model: positions weighed by how they went with returns.

use super::{Field, Fold, holding};
use crate::moments::{centre, spread};
use mantis_kit::math;
use serde::{Deserialize, Serialize};

/// Positions that vary less count as constant.
const MIN_STD: f64 = 1e-6;

/// Losses without each seed. The weighted sum of positions is kept per row; without a seed only its own term changes
/// for the median's.
pub(super) fn losses(field: &Field, fold: &Fold, asset: usize) -> Vec<f64> {
    let rows = fold.test.end;
    let columns = columns(field, asset, rows);
    let median = &field.median[..rows];
    let (weights, median_weight) = weigh(field, fold, asset);
    let sums = weighed(&weights, &columns, rows);
    let total: f64 = weights.iter().sum();
    let mut scratch = vec![0.0; fold.test.start];
    let mut predicted = |sums: &[f64], total: f64| -> Option<(f64, Vec<f64>)> {
        if total <= 0.0 {
            return None;
        }
        scratch.copy_from_slice(&sums[..fold.test.start]);
        let predictions = fold.rebalances(field.step).map(|t| sums[t] / total).collect();
        Some((spread(&mut scratch) / total, predictions))
    };
    let with_all = predicted(&sums, total)
        .map_or(0.0, |(spread, predictions)| field.profit_with_all(fold, asset, spread, &predictions));
    let mut profit = |sums: &[f64], total: f64| {
        predicted(sums, total)
            .map_or(0.0, |(spread, predictions)| field.profit(fold, asset, spread, predictions.into_iter()))
    };

    let with_median: Vec<f64> = sums.iter().zip(median).map(|(sum, x)| sum + median_weight * x).collect();
    let mut unweighted = None;
    let mut without = vec![0.0; rows];
    let loss = |(column, &own): (&&[f32], &f64)| {
        if own == 0.0 {
            // Nothing to take away: the same for all such seeds.
            return *unweighted.get_or_insert_with(|| with_all - profit(&with_median, total + median_weight));
        }
        for ((without, sum), &x) in without.iter_mut().zip(&with_median).zip(*column) {
            *without = sum - own * f64::from(x);
        }
        with_all - profit(&without, total - own + median_weight)
    };
    columns.iter().zip(&weights).map(loss).collect()
}

/// Weights of all seeds, and of the median.
fn weigh(field: &Field, fold: &Fold, asset: usize) -> (Vec<f64>, f64) {
    let mut returns = field.returns_at(asset, &fold.rows);
    let returns_norm = centre(&mut returns);
    let weight = |position: &dyn Fn(usize) -> f64| {
        let mut values: Vec<f64> = fold.rows.iter().map(|&t| position(t)).collect();
        let norm = centre(&mut values);
        let n = values.len() as f64;
        if values.len() < field.params.min_corr_rows || norm / n.sqrt() < MIN_STD || returns_norm <= 0.0 {
            return 0.0;
        }
        (math::dot(&values, &returns) / (norm * returns_norm)).max(0.0) * (n / 100.0).sqrt()
    };
    let of_seed = |seed: &&[Vec<f32>]| weight(&|t| f64::from(seed[asset][t]));
    (field.seeds.iter().map(of_seed).collect(), weight(&|t| field.median[t]))
}

fn columns<'a>(field: &Field<'a>, asset: usize, rows: usize) -> Vec<&'a [f32]> {
    field.seeds.iter().map(|seed| &seed[asset][..rows]).collect()
}

/// Weighted sums of positions, by row.
fn weighed(weights: &[f64], columns: &[&[f32]], rows: usize) -> Vec<f64> {
    let mut sums = vec![0.0; rows];
    for (column, &weight) in columns.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
        sums.iter_mut().zip(*column).for_each(|(sum, &x)| *sum += weight * f64::from(x));
    }
    sums
}

/// The weights of an asset, learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weights {
    weights: Vec<f64>,
    /// Deviation of what they predicted; none where no weight is above 0.
    spread: Option<f64>,
}

impl Weights {
    pub(super) fn fit(field: &Field, fold: &Fold, asset: usize) -> Self {
        let (weights, _) = weigh(field, fold, asset);
        let rows = fold.test.start;
        let mut sums = weighed(&weights, &columns(field, asset, rows), rows);
        let total: f64 = weights.iter().sum();
        Self { spread: (total > 0.0).then(|| spread(&mut sums) / total), weights }
    }

    /// What the desk holds where the seeds have these positions.
    pub(super) fn holding(&self, positions: &[f32]) -> f64 {
        let Some(spread) = self.spread else { return 0.0 };
        let columns: Vec<&[f32]> = positions.chunks(1).collect();
        let total: f64 = self.weights.iter().sum();
        holding(weighed(&self.weights, &columns, 1)[0] / total, spread)
    }

    /// Whether it goes by a seed.
    pub(super) fn uses(&self, seed: usize) -> bool {
        self.weights[seed] > 0.0
    }

    pub(super) fn is_sound(&self, seeds: usize) -> bool {
        let total: f64 = self.weights.iter().sum();
        self.weights.len() == seeds
            && self.weights.iter().all(|w| (0.0..f64::INFINITY).contains(w))
            && total.is_finite()
            && self.spread.is_none_or(|spread| (0.0..f64::INFINITY).contains(&spread) && total > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use proptest::prelude::*;

    /// The desk as the text describes it, fitted again for each seed.
    fn refitted(field: &Field, fold: &Fold, asset: usize) -> Vec<f64> {
        let column = |seed: usize, out: Option<usize>| -> Vec<f64> {
            if out == Some(seed) {
                return field.median.clone();
            }
            field.seeds[seed][asset].iter().map(|&x| f64::from(x)).collect()
        };
        let profit = |out: Option<usize>| {
            let r = field.returns_at(asset, &fold.rows);
            let n = r.len() as f64;
            let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
            let std = |x: &[f64]| {
                let m = mean(x);
                (x.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / x.len() as f64).sqrt()
            };
            let mut prediction = vec![0.0; fold.test.end];
            let mut total = 0.0;
            for seed in 0..field.seeds.len() {
                let column = column(seed, out);
                let x: Vec<f64> = fold.rows.iter().map(|&t| column[t]).collect();
                if std(&x) < 1e-6 || std(&r) <= 0.0 {
                    continue;
                }
                let (mx, mr) = (mean(&x), mean(&r));
                let covariance = x.iter().zip(&r).map(|(x, r)| (x - mx) * (r - mr)).sum::<f64>() / n;
                let weight = (covariance / (std(&x) * std(&r))).max(0.0) * (n / 100.0).sqrt();
                total += weight;
                prediction.iter_mut().zip(&column).for_each(|(p, x)| *p += weight * x);
            }
            if total > 0.0 {
                prediction.iter_mut().for_each(|p| *p /= total);
            }
            let spread = std(&prediction[..fold.test.start]);
            field.profit(fold, asset, spread, fold.rebalances(field.step).map(|t| prediction[t]))
        };
        (0..field.seeds.len()).map(|seed| profit(None) - profit(Some(seed))).collect()
    }

    proptest! {
        #[test]
        fn taking_a_term_away_is_fitting_again(
            rows in proptest::collection::vec(
                (proptest::collection::vec(-1.0..1.0f32, 4), proptest::option::weighted(0.95, -0.1..0.1f64)),
                120..300,
            ),
        ) {
            let params = Params::default();
            let mut seeds: Vec<Vec<Vec<f32>>> =
                (0..4).map(|j| vec![rows.iter().map(|row| row.0[j]).collect()]).collect();
            seeds.push(vec![vec![0.25; rows.len()]]);
            let returns = [rows.iter().map(|row| row.1).collect()];
            let median = rows.iter().map(|row| f64::from(row.0[0] + row.0[1])).collect();
            let seeds = seeds.iter().map(Vec::as_slice).collect();
            let field = Field { seeds, median, returns: &returns, step: 7, params: &params };
            let fold = Fold::new(&field, 80..rows.len());
            for (quick, slow) in losses(&field, &fold, 0).iter().zip(refitted(&field, &fold, 0)) {
                prop_assert!((quick - slow).abs() < 1e-10, "{} {}", quick, slow);
            }
        }
    }
}
