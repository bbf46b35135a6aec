//! The loss over the rows: value, gradient, curvature.

use std::borrow::Cow;

use super::loss::{Derivatives, of_labels, of_labels_at_zero, of_sums};
use super::{BLOCK, gram};
use crate::math;
use multiversion::multiversion;

/// Feature columns and weights.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    columns: Vec<Cow<'a, [f64]>>,
    weights: Weights,
    /// Number of rows with a negative and with a positive label, whatever they weigh.
    classes: [usize; 2],
    /// Second derivative of the loss in the decision value of each row, at the point last evaluated.
    curvature: Vec<f64>,
}

/// What rows weigh, and what their labels are.
#[derive(Debug)]
enum Weights {
    /// One label per row: the weight, negated if the label is negative.
    Signed(Vec<f64>),
    /// Rows that stand for others: the weights of those with a positive and with a negative label.
    Sums { positive: Vec<f64>, negative: Vec<f64> },
}

impl<'a> Rows<'a> {
    /// Rows with one label each, of weights that are above 0 and negated if the label is negative. All columns are as long
    /// as these; all values are finite.
    pub(crate) fn with_labels(columns: Vec<Cow<'a, [f64]>>, signed: Vec<f64>) -> Self {
        let negative = signed.iter().filter(|weight| weight.is_sign_negative()).count();
        let classes = [negative, signed.len() - negative];
        Self { curvature: vec![0.0; signed.len()], columns, weights: Weights::Signed(signed), classes }
    }

    /// Rows that stand for others, which weigh so much with a positive and with a negative label, and of which so many
    /// have a negative and a positive one.
    pub(crate) fn with_sums(
        columns: Vec<Cow<'a, [f64]>>,
        [positive, negative]: [Vec<f64>; 2],
        classes: [usize; 2],
    ) -> Self {
        let curvature = vec![0.0; positive.len()];
        Self { columns, weights: Weights::Sums { positive, negative }, classes, curvature }
    }

    /// Number of rows with a negative and with a positive label.
    pub(super) fn classes(&self) -> [usize; 2] {
        self.classes
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// What all rows weigh.
    pub(super) fn weight(&self) -> f64 {
        match &self.weights {
            Weights::Signed(signed) => signed.iter().map(|weight| weight.abs()).sum(),
            Weights::Sums { positive, negative } => math::sum(positive) + math::sum(negative),
        }
    }

    pub(super) fn scale_weights(&mut self, factor: f64) {
        match &mut self.weights {
            Weights::Signed(signed) => signed.iter_mut().for_each(|weight| *weight *= factor),
            Weights::Sums { positive, negative } => {
                positive.iter_mut().chain(negative).for_each(|weight| *weight *= factor);
            }
        }
    }

    /// Loss plus `1/2 sum_j ridge_j theta_j^2`; `theta` and `gradient` end with the intercept.
    pub(super) fn penalised(&mut self, theta: &[f64], ridge: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = self.evaluate::<true>(theta, gradient);
        for ((gradient, &theta), &ridge) in gradient.iter_mut().zip(theta).zip(ridge) {
            *gradient += ridge * theta;
            value += 0.5 * ridge * theta * theta;
        }
        value
    }

    /// The gradient only of [`Self::penalised`], for about half the time.
    pub(super) fn penalised_gradient(&mut self, theta: &[f64], ridge: &[f64], gradient: &mut [f64]) {
        self.evaluate::<false>(theta, gradient);
        for ((gradient, &theta), &ridge) in gradient.iter_mut().zip(theta).zip(ridge) {
            *gradient += ridge * theta;
        }
    }

    /// The weighted loss, if `VALUES`, and its gradient; keeps the curvature for [`Self::hessian`].
    fn evaluate<const VALUES: bool>(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let width = self.width();
        gradient.fill(0.0);
        let is_zero = theta.iter().all(|&theta| theta == 0.0);
        let mut decision = [0.0; BLOCK];
        let mut residual = [0.0; BLOCK];
        let mut loss = [0.0; BLOCK];
        let mut value = 0.0;
        for start in (0..self.curvature.len()).step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(self.curvature.len());
            let n = rows.len();
            let into = Derivatives {
                residual: &mut residual[..n],
                curvature: &mut self.curvature[rows.clone()],
                loss: &mut loss[..n],
            };
            match &self.weights {
                Weights::Signed(signed) if is_zero => of_labels_at_zero(&signed[rows.clone()], into),
                Weights::Signed(signed) => {
                    decide(&self.columns, theta, start, &mut decision[..n]);
                    of_labels::<VALUES>(&decision[..n], &signed[rows.clone()], into);
                }
                Weights::Sums { positive, negative } => {
                    decide(&self.columns, theta, start, &mut decision[..n]);
                    of_sums(&decision[..n], &positive[rows.clone()], &negative[rows.clone()], into);
                }
            }
            if VALUES {
                value += math::sum(&loss[..n]);
            }
            for (gradient, column) in gradient.iter_mut().zip(&self.columns) {
                *gradient += math::dot(&residual[..n], &column[rows.clone()]);
            }
            gradient[width] += math::sum(&residual[..n]);
        }
        value
    }

    /// Second derivatives of the loss among the parameters `active` (ascending, the last is the intercept), at the
    /// point last evaluated: row-major, symmetric.
    pub(super) fn hessian(&self, active: &[usize]) -> Vec<f64> {
        let columns: Vec<&[f64]> =
            active.iter().filter_map(|&j| self.columns.get(j)).map(Cow::as_ref).collect();
        gram::weighted(&columns, &self.curvature)
    }
}

/// `theta . x + intercept` for the rows from `start`.
#[multiversion(targets("x86_64+avx2"))]
fn decide(columns: &[Cow<'_, [f64]>], theta: &[f64], start: usize, decision: &mut [f64]) {
    let n = decision.len();
    decision.fill(theta[columns.len()]);
    let quads = columns.chunks_exact(4);
    let rest = quads.remainder();
    for (quad, theta) in quads.zip(theta.chunks_exact(4)) {
        // Four columns in one pass over the decision values.
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| &quad[i][start..start + n]);
        for (i, value) in decision.iter_mut().enumerate() {
            *value += (theta[0] * a[i] + theta[1] * b[i]) + (theta[2] * c[i] + theta[3] * d[i]);
        }
    }
    let rest_theta = &theta[columns.len() - rest.len()..];
    let (pairs, last) = rest.as_chunks::<2>();
    for (pair, theta) in pairs.iter().zip(rest_theta.chunks_exact(2)) {
        let [a, b] = pair.each_ref().map(|column| &column[start..start + n]);
        for (i, value) in decision.iter_mut().enumerate() {
            *value = (*value + theta[0] * a[i]) + theta[1] * b[i];
        }
    }
    for column in last {
        math::axpy(rest_theta[rest.len() - 1], &column[start..start + n], decision);
    }
}
