//! One block of rows, and its products with a few models.

use super::{BLOCK, Columns, Replicates};
use crate::math;
use multiversion::multiversion;

/// Replicates whose sums are kept in registers together.
pub(super) const GROUP: usize = 4;

/// One block of rows. A last block is filled up with rows without weight.
pub(super) struct Tile {
    /// The features, a column of ones, and one of zeros if that makes their number even.
    pub(super) columns: Vec<[f64; BLOCK]>,
    pub(super) weights: [f64; BLOCK],
    pub(super) y: [bool; BLOCK],
    /// 1 for a positive label, -1 for a negative one.
    sign: [f64; BLOCK],
}

impl Tile {
    pub(super) fn new(width: usize) -> Self {
        let mut columns = vec![[0.0; BLOCK]; (width + 1).next_multiple_of(2)];
        columns[width] = [1.0; BLOCK];
        Self { columns, weights: [0.0; BLOCK], y: [false; BLOCK], sign: [-1.0; BLOCK] }
    }

    pub(super) fn load(&mut self, problem: &Replicates<'_>, first: usize) {
        let rows = first..(first + BLOCK).min(problem.y.len());
        let n = rows.len();
        match problem.x {
            Columns::F64(source) => {
                for (column, source) in self.columns.iter_mut().zip(source) {
                    column[..n].copy_from_slice(&source[rows.clone()]);
                }
            }
            Columns::F32(source) => {
                for (column, source) in self.columns.iter_mut().zip(source) {
                    column
                        .iter_mut()
                        .zip(&source[rows.clone()])
                        .for_each(|(x, source)| *x = f64::from(*source));
                }
            }
        }
        self.y[..n].copy_from_slice(&problem.y[rows.clone()]);
        self.sign.iter_mut().zip(&self.y).for_each(|(sign, &y)| *sign = if y { 1.0 } else { -1.0 });
        match problem.weights {
            Some(weights) => self.weights[..n].copy_from_slice(&weights[rows]),
            None => self.weights[..n].fill(1.0),
        }
        self.weights[n..].fill(0.0);
    }

    /// Turns decision values into derivatives of the loss; gives the loss if `VALUES`, else 0.
    pub(super) fn residuals<const VALUES: bool>(
        &self,
        counts: &[f64; BLOCK],
        scale: [f64; 2],
        values: &mut [f64; BLOCK],
    ) -> f64 {
        derive::<VALUES>(&self.sign, &self.factors(counts, scale), values)
    }

    /// Turns changes of the decision values into changes of the derivatives of the loss.
    pub(super) fn bend(
        &self,
        counts: &[f64; BLOCK],
        scale: [f64; 2],
        decision: &[f64; BLOCK],
        change: &mut [f64; BLOCK],
    ) {
        bend(&self.factors(counts, scale), decision, change);
    }

    /// What each row's loss counts.
    #[inline(always)]
    fn factors(&self, counts: &[f64; BLOCK], scale: [f64; 2]) -> [f64; BLOCK] {
        std::array::from_fn(|i| {
            counts[i] * self.weights[i] * if self.sign[i] > 0.0 { scale[1] } else { scale[0] }
        })
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn derive<const VALUES: bool>(sign: &[f64; BLOCK], factors: &[f64; BLOCK], values: &mut [f64; BLOCK]) -> f64 {
    let mut loss = [0.0; BLOCK];
    for i in 0..BLOCK {
        let margin = values[i] * sign[i];
        let t = math::exp(-margin.abs());
        let likely = 1.0 / (1.0 + t);
        let unlikely = t * likely;
        // Probability of the other label, never had by subtraction from 1.
        let wrong = if margin > 0.0 { unlikely } else { likely };
        values[i] = -sign[i] * factors[i] * wrong;
        if VALUES {
            let missed = if margin > 0.0 { 0.0 } else { -margin };
            loss[i] = factors[i] * (math::ln_1p_unit(t) + missed);
        }
    }
    if VALUES { math::sum(&loss) } else { 0.0 }
}

#[multiversion(targets("x86_64+avx2"))]
fn bend(factors: &[f64; BLOCK], decision: &[f64; BLOCK], change: &mut [f64; BLOCK]) {
    for i in 0..BLOCK {
        let t = math::exp(-decision[i].abs());
        let likely = 1.0 / (1.0 + t);
        change[i] *= factors[i] * (t * likely) * likely;
    }
}

/// Decision values of a block of rows under four models at a time.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn decide(columns: &[[f64; BLOCK]], theta: &[[f64; GROUP]], decision: &mut [[f64; BLOCK]; GROUP]) {
    for row in (0..BLOCK).step_by(4) {
        let mut sums = [[0.0; 4]; GROUP];
        for (column, theta) in columns.iter().zip(theta) {
            let x = [column[row], column[row + 1], column[row + 2], column[row + 3]];
            for (sums, theta) in sums.iter_mut().zip(theta) {
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum += theta * x;
                }
            }
        }
        for (decision, sums) in decision.iter_mut().zip(sums) {
            decision[row..row + 4].copy_from_slice(&sums);
        }
    }
}
