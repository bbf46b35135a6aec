//! The default model: positions weighed by how they went with returns.

use super::{Field, Fold};
use crate::moments::{centre, spread};
use mantis_kit::math;

/// Positions that vary less count as constant.
const MIN_STD: f64 = 1e-6;

/// Losses without each seed. The weighted sum of positions is kept per row; without a seed only its own term changes
/// for the median's.
pub(super) fn losses(field: &Field, fold: &Fold, asset: usize) -> Vec<f64> {
    let rows = fold.test.end;
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
    let columns: Vec<&[f32]> = field.seeds.iter().map(|seed| &seed[asset][..rows]).collect();
    let weights: Vec<f64> = columns.iter().map(|x| weight(&|t| f64::from(x[t]))).collect();
    let median = &field.median[..rows];
    let median_weight = weight(&|t| median[t]);

    let mut sums = vec![0.0; rows];
    for (column, &weight) in columns.iter().zip(&weights).filter(|(_, weight)| **weight > 0.0) {
        sums.iter_mut().zip(*column).for_each(|(sum, &x)| *sum += weight * f64::from(x));
    }
    let total: f64 = weights.iter().sum();
    let mut scratch = vec![0.0; fold.test.start];
    let mut profit = |sums: &[f64], total: f64| {
        if total <= 0.0 {
            return 0.0;
        }
        scratch.copy_from_slice(&sums[..fold.test.start]);
        let spread = spread(&mut scratch) / total;
        field.profit(fold, asset, spread, fold.rebalances(field.step).map(|t| sums[t] / total))
    };
    let with_all = profit(&sums, total);

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
