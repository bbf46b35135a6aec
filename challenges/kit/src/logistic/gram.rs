//! Weighted products of columns: the costly part of a Newton step.

use super::BLOCK;
use crate::math;

/// Scaled columns and plain columns per tile: those of [`math::products`].
const TALL: usize = 4;
const WIDE: usize = 2;

/// `sum_i weight_i a_i b_i` over all pairs of `columns` and a last column of ones: row-major, symmetric.
pub(super) fn weighted(columns: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let width = columns.len();
    let order = width + 1;
    let mut gram = vec![0.0; order * order];
    let mut scaled = [[0.0; BLOCK]; TALL];
    for start in (0..weights.len()).step_by(BLOCK) {
        let rows = start..(start + BLOCK).min(weights.len());
        let weights = &weights[rows.clone()];
        for first in (0..width).step_by(TALL) {
            for (offset, scaled) in scaled.iter_mut().enumerate().take(width - first) {
                let column = &columns[first + offset][rows.clone()];
                for ((scaled, x), weight) in scaled.iter_mut().zip(column).zip(weights) {
                    *scaled = x * weight;
                }
                gram[width * order + first + offset] += math::sum(&scaled[..rows.len()]);
            }
            if width < TALL {
                pairs(columns, &scaled, rows.clone(), &mut gram);
            } else {
                tiles(columns, &scaled, first, rows.clone(), &mut gram);
            }
        }
        gram[order * order - 1] += math::sum(weights);
    }
    for i in 0..order {
        for j in 0..i {
            gram[j * order + i] = gram[i * order + j];
        }
    }
    gram
}

/// Adds the products of few columns one by one.
fn pairs(columns: &[&[f64]], scaled: &[[f64; BLOCK]], rows: std::ops::Range<usize>, gram: &mut [f64]) {
    let order = columns.len() + 1;
    for i in 0..columns.len() {
        for j in 0..=i {
            gram[i * order + j] += math::dot(&scaled[i][..rows.len()], &columns[j][rows.clone()]);
        }
    }
}

/// Adds the products of the scaled columns from `first` with all columns up to them.
fn tiles(
    columns: &[&[f64]],
    scaled: &[[f64; BLOCK]; TALL],
    first: usize,
    rows: std::ops::Range<usize>,
    gram: &mut [f64],
) {
    let width = columns.len();
    let last = (first + TALL).min(width);
    let tall = [0, 1, 2, 3].map(|offset| &scaled[offset][..rows.len()]);
    for second in (0..last).step_by(WIDE) {
        // A tile that reaches past the last column takes that column again; its sums are dropped.
        let wide = [0, 1].map(|offset| &columns[(second + offset).min(width - 1)][rows.clone()]);
        let sums = math::products(tall, wide);
        for i in first..last {
            for j in second..(second + WIDE).min(i + 1) {
                gram[i * (width + 1) + j] += sums[i - first][j - second];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_definition(width in 0..11_usize, rows in 0..1100_usize) {
            let value = |i: usize, j: usize| ((i * 7 + j * 13) % 17) as f64 - 8.0;
            let store: Vec<Vec<f64>> = (0..width).map(|j| (0..rows).map(|i| value(i, j)).collect()).collect();
            let columns: Vec<&[f64]> = store.iter().map(Vec::as_slice).collect();
            let weights: Vec<f64> = (0..rows).map(|i| (i % 5) as f64).collect();
            let ours = weighted(&columns, &weights);
            let at = |i: usize, j: usize| if j < width { store[j][i] } else { 1.0 };
            for a in 0..=width {
                for b in 0..=width {
                    // Small integers: exact in any order.
                    let expected: f64 = (0..rows).map(|i| weights[i] * at(i, a) * at(i, b)).sum();
                    prop_assert_eq!(ours[a * (width + 1) + b], expected, "{} {}", a, b);
                }
            }
        }
    }
}
