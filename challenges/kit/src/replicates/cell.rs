//! Second derivatives, cell by cell.

use super::BLOCK;
use super::tile::{GROUP, Tile};
use crate::math;

/// Second derivatives of the rows of one label in one block.
pub(super) struct Cell {
    /// The rows, gathered, and filled up with zeros to an even number.
    columns: Vec<[f64; BLOCK]>,
    scaled: [[f64; BLOCK]; GROUP],
    rows: Vec<usize>,
    curvature: [f64; BLOCK],
    total: f64,
    gram: Vec<f64>,
    order: usize,
}

impl Cell {
    pub(super) fn new(order: usize) -> Self {
        Self {
            columns: vec![[0.0; BLOCK]; order.next_multiple_of(2)],
            scaled: [[0.0; BLOCK]; GROUP],
            rows: Vec::with_capacity(BLOCK),
            curvature: [0.0; BLOCK],
            total: 0.0,
            gram: vec![0.0; order * order],
            order,
        }
    }

    /// The rows of one label. Whether there is any.
    pub(super) fn fill(&mut self, x: &Tile, class: bool, decision: &[f64; BLOCK]) -> bool {
        self.fill_weighted(x, decision, |i| if x.y[i] == class { x.weights[i] } else { 0.0 })
    }

    /// The rows that have a weight. Whether there is any.
    pub(super) fn fill_weighted(
        &mut self,
        x: &Tile,
        decision: &[f64; BLOCK],
        weight: impl Fn(usize) -> f64,
    ) -> bool {
        self.rows.clear();
        self.rows.extend((0..BLOCK).filter(|&i| weight(i) > 0.0));
        let n = self.rows.len().next_multiple_of(2);
        self.curvature = [0.0; BLOCK];
        for (curvature, &i) in self.curvature.iter_mut().zip(&self.rows) {
            let t = math::exp(-decision[i].abs());
            let likely = 1.0 / (1.0 + t);
            *curvature = weight(i) * (t * likely) * likely;
        }
        self.total = math::sum(&self.curvature);
        if self.total <= 0.0 {
            return false;
        }
        for (column, source) in self.columns.iter_mut().zip(&x.columns) {
            column[..n].fill(0.0);
            column.iter_mut().zip(&self.rows).for_each(|(x, &i)| *x = source[i]);
        }
        for top in (0..self.order).step_by(GROUP) {
            let tall = GROUP.min(self.order - top);
            for (scaled, column) in self.scaled.iter_mut().zip(&self.columns[top..top + tall]) {
                for i in 0..n {
                    scaled[i] = column[i] * self.curvature[i];
                }
            }
            let scaled = self.scaled.each_ref().map(|scaled| &scaled[..n]);
            for (j, pair) in self.columns.as_chunks::<2>().0.iter().enumerate().take((top + tall).div_ceil(2))
            {
                let sums = math::products(scaled, pair.each_ref().map(|x| &x[..n]));
                for (i, sums) in (top..top + tall).zip(sums) {
                    let row = &mut self.gram[i * self.order..][..self.order];
                    row[2 * j..].iter_mut().zip(sums).for_each(|(gram, sum)| *gram = sum);
                }
            }
        }
        true
    }

    /// Mean multiplicity of the rows, weighted by their curvature.
    pub(super) fn share(&self, counts: &[f64; BLOCK]) -> f64 {
        let sum: f64 =
            self.rows.iter().zip(&self.curvature).map(|(&i, curvature)| counts[i] * curvature).sum();
        sum / self.total
    }

    pub(super) fn add_to(&self, share: f64, matrix: &mut [f64]) {
        if share == 0.0 {
            return;
        }
        let rows = matrix.chunks_exact_mut(self.order).zip(self.gram.chunks_exact(self.order));
        for (i, (matrix, gram)) in rows.enumerate() {
            math::axpy(share, &gram[..=i], &mut matrix[..=i]);
        }
    }
}
