//! Sums over the rows of a history, asset by asset, in bounded memory.

use mantis_kit::math;
use mantis_plugin_api::{History, PluginError};
use std::ops::Range;

/// Numbers that are read at once.
const PIECE: usize = 1 << 22;
/// Rows that are read at once, at most.
const ROWS: usize = 1024;

/// The numbers of all miners in some rows.
pub(super) struct Block {
    numbers: Vec<f32>,
    /// The wanted rows, as places in the block.
    wanted: Vec<usize>,
    rows: usize,
    width: usize,
}

impl Block {
    /// A number of a storage column of a miner, in the wanted rows.
    pub(super) fn column(&self, miner: usize, number: usize) -> impl Iterator<Item = f64> {
        let first = miner * self.rows * self.width + number;
        self.wanted.iter().map(move |row| f64::from(self.numbers[first + row * self.width]))
    }

    /// How many rows are wanted.
    pub(super) fn rows(&self) -> usize {
        self.wanted.len()
    }
}

/// Hands over the wanted rows, which ascend, block by block.
pub(super) fn blocks(
    history: &dyn History,
    wanted: &[usize],
    mut visit: impl FnMut(&Block),
) -> Result<(), PluginError> {
    let shape = history.shape();
    let (miners, width) = (shape.miners, shape.dim);
    let step = (PIECE / (miners * width).max(1)).clamp(1, ROWS);
    let mut next = 0;
    let mut block = Block { numbers: Vec::new(), wanted: Vec::new(), rows: 0, width };
    while let Some(&first) = wanted.get(next) {
        let end = (first + step).min(shape.rows);
        let upto = next + wanted[next..].partition_point(|row| *row < end);
        let rows: Range<usize> = first..end;
        block.rows = rows.len();
        block.wanted = wanted[next..upto].iter().map(|row| row - first).collect();
        block.numbers.resize(miners * rows.len() * width, 0.0);
        history.read_f32(0..miners, rows, &mut block.numbers)?;
        visit(&block);
        next = upto;
    }
    Ok(())
}

/// Adds the products of all pairs of columns to the lower triangle of a row-major matrix of that order.
pub(super) fn add_products(columns: &[Vec<f64>], gram: &mut [f64]) {
    let order = columns.len();
    // A tile that reaches past the last column takes that column again; its sums are dropped.
    let column = |place: usize| columns[place.min(order - 1)].as_slice();
    for first in (0..order).step_by(4) {
        let tall = [0, 1, 2, 3].map(|offset| column(first + offset));
        let last = (first + 4).min(order);
        for second in (0..last).step_by(2) {
            let sums = math::products(tall, [column(second), column(second + 1)]);
            for i in first..last {
                for j in second..(second + 2).min(i + 1) {
                    gram[i * order + j] += sums[i - first][j - second];
                }
            }
        }
    }
}

/// Solves `a x = b` for the lower triangle of a row-major positive definite `a`, which its factor replaces. `None` if it is
/// not positive definite.
pub(super) fn factor(a: &mut [f64], order: usize) -> Option<()> {
    for i in 0..order {
        let (done, rest) = a.split_at_mut(i * order);
        let row = &mut rest[..=i];
        for j in 0..i {
            let other = &done[j * order..][..=j];
            row[j] = (row[j] - math::dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - math::dot(&row[..i], &row[..i]);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        row[i] = pivot.sqrt();
    }
    Some(())
}

/// `x` of `a x = b` by the factor of `a`.
pub(super) fn substitute(factor: &[f64], b: &[f64]) -> Vec<f64> {
    let order = b.len();
    let mut x = b.to_vec();
    for i in 0..order {
        let row = &factor[i * order..][..=i];
        x[i] = (x[i] - math::dot(&row[..i], &x[..i])) / row[i];
    }
    for i in (0..order).rev() {
        x[i] /= factor[i * order + i];
        let solved = x[i];
        for (x, a) in x[..i].iter_mut().zip(&factor[i * order..][..i]) {
            *x -= a * solved;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_solution_are_those_of_the_definition() {
        for order in 1..9_usize {
            let value = |i: usize, j: usize| ((i * i * 7 + j * 13 + i * j) % 19) as f64 - 9.0;
            let columns: Vec<Vec<f64>> = (0..order).map(|j| (0..37).map(|i| value(i, j)).collect()).collect();
            let mut gram = vec![0.0; order * order];
            add_products(&columns, &mut gram);
            for i in 0..order {
                for j in 0..=i {
                    let expected: f64 = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum();
                    assert_eq!(gram[i * order + j], expected, "{i} {j}");
                }
                gram[i * order + i] += 1.0;
            }
            let full = |i: usize, j: usize| gram[i.max(j) * order + i.min(j)];
            let x: Vec<f64> = (0..order).map(|i| i as f64 - 2.5).collect();
            let b: Vec<f64> = (0..order).map(|i| (0..order).map(|j| full(i, j) * x[j]).sum()).collect();
            let mut lower = gram.clone();
            factor(&mut lower, order).unwrap();
            for (found, expected) in substitute(&lower, &b).iter().zip(&x) {
                assert!((found - expected).abs() < 1e-9, "{order}: {found} {expected}");
            }
        }
        assert_eq!(factor(&mut [1.0, 0.0, 1.0, 1.0], 2), None);
    }
}
