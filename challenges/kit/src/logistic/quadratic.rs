//! A quadratic with an l1 part: the inner problem of the proximal Newton method.

use super::cholesky;
use crate::math;

const MAX_ROUNDS: usize = 500;
const SWEEPS: usize = 3;

/// Minimises `g . (u - p) + 1/2 (u - p)' H (u - p) + sum_j l1_j |u_j|` over u.
///
/// Sweeps of coordinate descent find which coordinates are 0 and the signs of the rest; with these given the problem
/// is linear and solved at once, so collinear columns, on which coordinate descent crawls, cost nothing. Both only
/// ever lower the objective, so no choice of signs comes twice.
pub(super) fn minimise(hessian: &[f64], gradient: &[f64], point: &[f64], l1: &[f64]) -> Vec<f64> {
    let mut state = State { hessian, l1, slope: gradient.to_vec(), u: point.to_vec() };
    for _ in 0..MAX_ROUNDS {
        for _ in 0..SWEEPS {
            state.sweep();
        }
        while state.jump() {}
        // The slope is kept up by small updates; renew it, so that their rounding does not add up.
        state.renew(gradient, point);
        if state.is_optimal() {
            break;
        }
    }
    state.u
}

struct State<'a> {
    hessian: &'a [f64],
    l1: &'a [f64],
    /// Gradient of the quadratic at `u`.
    slope: Vec<f64>,
    u: Vec<f64>,
}

impl State<'_> {
    fn row(&self, j: usize) -> &[f64] {
        &self.hessian[j * self.u.len()..][..self.u.len()]
    }

    /// One pass of coordinate descent.
    fn sweep(&mut self) {
        for j in 0..self.u.len() {
            let curvature = self.row(j)[j];
            if curvature <= 0.0 {
                continue;
            }
            let free = self.u[j] - self.slope[j] / curvature;
            let shrunk = (free.abs() - self.l1[j] / curvature).max(0.0);
            let change = shrunk.copysign(free) - self.u[j];
            if change != 0.0 {
                self.u[j] = if shrunk == 0.0 { 0.0 } else { shrunk.copysign(free) };
                let row = &self.hessian[j * self.l1.len()..][..self.l1.len()];
                math::axpy(change, row, &mut self.slope);
            }
        }
    }

    /// Moves to the minimum for the present zeros and signs, or to where the first sign would change; that coordinate
    /// becomes 0. Whether there is one.
    fn jump(&mut self) -> bool {
        let support: Vec<usize> =
            (0..self.u.len()).filter(|&j| self.l1[j] == 0.0 || self.u[j] != 0.0).collect();
        let order = support.len();
        let mut matrix = vec![0.0; order * order];
        for (a, &i) in support.iter().enumerate() {
            for (b, &j) in support.iter().enumerate() {
                matrix[a * order + b] = self.row(i)[j];
            }
        }
        let slope: Vec<f64> = support.iter().map(|&j| self.slope[j] + self.l1[j] * sign(self.u[j])).collect();
        let Some(step) = cholesky::solve(&matrix, &slope) else { return false };

        let mut length = 1.0;
        let mut crossing = None;
        for (&j, step) in support.iter().zip(&step) {
            let part = self.u[j] / step;
            if self.l1[j] > 0.0 && part > 0.0 && part < length {
                length = part;
                crossing = Some(j);
            }
        }
        for (&j, step) in support.iter().zip(&step) {
            let before = self.u[j];
            self.u[j] = if crossing == Some(j) { 0.0 } else { before - length * step };
            let change = self.u[j] - before;
            let row = &self.hessian[j * self.l1.len()..][..self.l1.len()];
            math::axpy(change, row, &mut self.slope);
        }
        crossing.is_some()
    }

    fn renew(&mut self, gradient: &[f64], point: &[f64]) {
        let moved: Vec<f64> = self.u.iter().zip(point).map(|(u, point)| u - point).collect();
        for j in 0..self.u.len() {
            self.slope[j] = gradient[j] + math::dot(self.row(j), &moved);
        }
    }

    /// Whether no coordinate that is 0 wants to leave it. The others are at their minimum after a jump.
    fn is_optimal(&self) -> bool {
        (0..self.u.len()).all(|j| {
            self.l1[j] == 0.0 || self.u[j] != 0.0 || self.slope[j].abs() <= self.l1[j] * (1.0 + 1e-12)
        })
    }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { 1.0_f64.copysign(value) }
}
