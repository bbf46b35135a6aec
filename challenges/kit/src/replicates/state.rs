//! One replicate on its way to its optimum.

use super::Replicates;
use super::query::Query;
use crate::logistic::Model;
use crate::math;

/// Relative size of the expected error after the last step.
const TOLERANCE: f64 = 1e-7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Open,
    Done,
    /// Does not converge in this way.
    Lost,
}

/// One replicate on its way to its optimum. Parameters end with the intercept.
pub(super) struct State {
    pub(super) replicate: usize,
    /// C times the class weight of a negative and of a positive row.
    pub(super) scale: [f64; 2],
    pub(super) theta: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    /// Approximate second derivatives, then their factor L: lower triangle, row-major.
    pub(super) matrix: Vec<f64>,
    /// The last step, and the gradient before it.
    last: Option<(Vec<f64>, Vec<f64>)>,
    pairs: Vec<Pair>,
    /// Length of the last step in the metric of the matrix.
    size: f64,
    /// That length as a part of the one before.
    pub(super) gain: f64,
    /// Passes in a row that gained little.
    slow: usize,
    pub(super) verdict: Verdict,
}

/// A step and the change of the gradient over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

impl State {
    pub(super) fn new(problem: &Replicates<'_>, replicate: usize, sums: [f64; 2], start: &Model) -> Self {
        let scale = problem.class_weights(sums).map(|weight| problem.c * weight);
        let theta: Vec<f64> = start.coef.iter().copied().chain([start.intercept]).collect();
        Self {
            replicate,
            scale,
            gradient: vec![0.0; theta.len()],
            matrix: vec![0.0; theta.len() * theta.len()],
            theta,
            last: None,
            pairs: Vec::new(),
            size: f64::INFINITY,
            gain: 0.0,
            slow: 0,
            verdict: Verdict::Open,
        }
    }

    /// Asks for the gradient of the loss where it is.
    pub(super) fn query(&mut self) -> Query<'_> {
        let (replicate, scale) = (self.replicate, self.scale);
        Query { replicate, scale, theta: &self.theta, gradient: &mut self.gradient, value: 0.0 }
    }

    /// Goes on from another model.
    pub(super) fn move_to(&mut self, model: &Model) {
        self.theta = model.coef.iter().copied().chain([model.intercept]).collect();
    }

    pub(super) fn factor(&mut self, ridge: &[f64]) {
        let order = ridge.len();
        for (i, ridge) in ridge.iter().enumerate() {
            self.matrix[i * order + i] += ridge;
        }
        if !factor_in_place(&mut self.matrix, order) {
            self.verdict = Verdict::Lost;
        }
    }

    /// Forgets all steps; the matrix has been summed again.
    pub(super) fn restart(&mut self, ridge: &[f64]) {
        self.pairs.clear();
        (self.last, self.size, self.slow) = (None, f64::INFINITY, 0);
        self.factor(ridge);
    }

    /// One step from the gradient of the loss at `theta`.
    pub(super) fn advance(&mut self, ridge: &[f64]) {
        for ((gradient, theta), ridge) in self.gradient.iter_mut().zip(&self.theta).zip(ridge) {
            *gradient += ridge * theta;
        }
        if let Some((step, before)) = self.last.take() {
            let change: Vec<f64> =
                self.gradient.iter().zip(&before).map(|(now, before)| now - before).collect();
            let product = math::dot(&step, &change);
            if product > 0.0 {
                self.pairs.push(Pair { step, change, product });
            }
        }
        let step = self.step();
        let decrement = -math::dot(&step, &self.gradient);
        if decrement == 0.0 {
            self.verdict = Verdict::Done;
            return;
        }
        if !(decrement > 0.0 && decrement.is_finite()) {
            self.verdict = Verdict::Lost;
            return;
        }
        let size = decrement.sqrt();
        let gain = if self.size.is_finite() { size / self.size } else { 0.5 };
        self.gain = gain;
        self.slow = if gain > 0.5 { self.slow + 1 } else { 0 };
        if gain > 2.0 || self.slow > 3 {
            self.verdict = Verdict::Lost;
            return;
        }
        for (theta, step) in self.theta.iter_mut().zip(&step) {
            *theta += step;
        }
        // The penalty alone makes the matrix at least 1, so the size bounds the distance, and the gain foretells what
        // is left of it after this step.
        let goal = TOLERANCE * math::dot(&self.theta, &self.theta).sqrt().max(1e-3);
        if size * (2.0 * gain).min(1.0) <= goal {
            self.verdict = Verdict::Done;
        }
        self.size = size;
        self.last = Some((step, self.gradient.clone()));
    }

    /// Minus the inverse matrix, mended by the pairs, times the gradient.
    fn step(&self) -> Vec<f64> {
        let mut step: Vec<f64> = self.gradient.iter().map(|gradient| -gradient).collect();
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = math::dot(&pair.step, &step) / pair.product;
            math::axpy(-factor, &pair.change, &mut step);
            factors.push(factor);
        }
        substitute(&self.matrix, &mut step);
        for (pair, factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let correction = math::dot(&pair.change, &step) / pair.product;
            math::axpy(factor - correction, &pair.step, &mut step);
        }
        step
    }
}

/// Cholesky's factor of a lower triangle, in place. Whether there is one.
fn factor_in_place(matrix: &mut [f64], order: usize) -> bool {
    for i in 0..order {
        let (done, rest) = matrix.split_at_mut(i * order);
        let row = &mut rest[..order];
        for j in 0..i {
            let other = &done[j * order..][..=j];
            row[j] = (row[j] - math::dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - math::dot(&row[..i], &row[..i]);
        if !(pivot > row[i] * 1e-14 && pivot.is_finite()) {
            return false;
        }
        row[i] = pivot.sqrt();
    }
    true
}

/// Solves `L L' x = b` in place of b.
fn substitute(lower: &[f64], b: &mut [f64]) {
    let order = b.len();
    for i in 0..order {
        let row = &lower[i * order..][..=i];
        b[i] = (b[i] - math::dot(&row[..i], &b[..i])) / row[i];
    }
    for i in (0..order).rev() {
        let row = &lower[i * order..][..=i];
        b[i] /= row[i];
        let value = b[i];
        math::axpy(-value, &row[..i], &mut b[..i]);
    }
}
