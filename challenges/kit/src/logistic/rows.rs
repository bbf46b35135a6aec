//! The loss over the rows: value, gradient, curvature.

use std::borrow::Cow;

use super::{BLOCK, gram};
use crate::math;

/// Feature columns with, per row, the weight of a positive and of a negative label there. A plain row has one of the
/// two; a histogram bin may have both.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    columns: Vec<Cow<'a, [f64]>>,
    positive: Vec<f64>,
    negative: Vec<f64>,
    /// Number of rows with a negative and with a positive label, whatever they weigh.
    classes: [usize; 2],
    /// Second derivative of the loss in the decision value of each row, at the point last evaluated.
    curvature: Vec<f64>,
}

impl<'a> Rows<'a> {
    /// All columns and both weights have the same length; all values are finite.
    pub(crate) fn new(columns: Vec<Cow<'a, [f64]>>, positive: Vec<f64>, negative: Vec<f64>) -> Self {
        let curvature = vec![0.0; positive.len()];
        let classes = [&negative, &positive].map(|weights| weights.iter().filter(|&&w| w > 0.0).count());
        Self { columns, positive, negative, classes, curvature }
    }

    /// Rows that stand for others: how many of those have a negative and a positive label.
    pub(crate) fn with_classes(self, classes: [usize; 2]) -> Self {
        Self { classes, ..self }
    }

    /// Number of rows with a negative and with a positive label.
    pub(super) fn classes(&self) -> [usize; 2] {
        self.classes
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn scale_weights(&mut self, factor: f64) {
        self.positive.iter_mut().chain(&mut self.negative).for_each(|weight| *weight *= factor);
    }

    /// Loss plus `1/2 sum_j ridge_j theta_j^2`; `theta` and `gradient` end with the intercept.
    pub(super) fn penalised(&mut self, theta: &[f64], ridge: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = self.loss(theta, gradient);
        for ((gradient, &theta), &ridge) in gradient.iter_mut().zip(theta).zip(ridge) {
            *gradient += ridge * theta;
            value += 0.5 * ridge * theta * theta;
        }
        value
    }

    /// The weighted loss and its gradient; keeps the curvature for [`Self::hessian`].
    fn loss(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let width = self.width();
        gradient.fill(0.0);
        let mut decision = [0.0; BLOCK];
        let mut residual = [0.0; BLOCK];
        let mut loss = [0.0; BLOCK];
        let mut value = 0.0;
        for start in (0..self.positive.len()).step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(self.positive.len());
            let n = rows.len();
            decide(&self.columns, theta, start, &mut decision[..n]);
            logistic(
                &decision[..n],
                &self.positive[rows.clone()],
                &self.negative[rows.clone()],
                &mut residual[..n],
                &mut self.curvature[rows.clone()],
                &mut loss[..n],
            );
            value += math::sum(&loss[..n]);
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
    for (column, &theta) in rest.iter().zip(&theta[columns.len() - rest.len()..]) {
        math::axpy(theta, &column[start..start + n], decision);
    }
}

/// Per row: derivative of the loss in the decision value, second derivative, loss. Branch-free.
fn logistic(
    decision: &[f64],
    positive: &[f64],
    negative: &[f64],
    residual: &mut [f64],
    curvature: &mut [f64],
    loss: &mut [f64],
) {
    let n = decision.len();
    let (positive, negative) = (&positive[..n], &negative[..n]);
    let (residual, curvature, loss) = (&mut residual[..n], &mut curvature[..n], &mut loss[..n]);
    for i in 0..n {
        let z = decision[i];
        let t = math::exp(-z.abs());
        // Probabilities of the likelier and the unlikelier label; neither is had by subtraction from 1.
        let likely = 1.0 / (1.0 + t);
        let unlikely = t * likely;
        let up = z > 0.0;
        let p = if up { likely } else { unlikely };
        let q = if up { unlikely } else { likely };
        let above = if up { z } else { 0.0 };
        let below = if up { 0.0 } else { -z };
        let weight = positive[i] + negative[i];
        residual[i] = negative[i] * p - positive[i] * q;
        curvature[i] = weight * likely * unlikely;
        loss[i] = weight * math::ln_1p_unit(t) + (negative[i] * above + positive[i] * below);
    }
}
