//! Newton's method with line search; with an l1 part, its proximal form on an active set.

use super::{Rows, cholesky, quadratic};
use crate::math;

/// Loss, plus `1/2 sum ridge_j theta_j^2`, plus `sum l1_j |theta_j|`. The intercept is the last parameter and has no
/// l1 part.
pub(super) struct Penalised<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) ridge: Vec<f64>,
    pub(super) l1: Vec<f64>,
}

const MAX_STEPS: usize = 100;
const MAX_HALVINGS: usize = 50;

/// The optimum, from `theta` on.
///
/// The objective is convex; where the ridge is 1, half the squared distance to the optimum is at most what the model
/// promises of a step, so the promise tells when to stop: at a relative distance of 1e-10, after which one more step
/// (already computed, and of quadratic convergence) is taken.
pub(super) fn minimise(problem: &mut Penalised<'_>, mut theta: Vec<f64>) -> Vec<f64> {
    let mut gradient = vec![0.0; theta.len()];
    let mut value = problem.value(&theta, &mut gradient);
    if !value.is_finite() {
        theta.fill(0.0);
        value = problem.value(&theta, &mut gradient);
    }
    for _ in 0..MAX_STEPS {
        let Some(target) = problem.target(&theta, &gradient) else { break };
        let step: Vec<f64> = target.iter().zip(&theta).map(|(target, theta)| target - theta).collect();
        let promise =
            -math::dot(&gradient, &step) - (l1_norm(&problem.l1, &target) - l1_norm(&problem.l1, &theta));
        if promise.is_nan() || promise <= 0.0 {
            break;
        }
        if promise <= 1e-20 * math::dot(&theta, &theta).max(1e-6) {
            theta = target;
            break;
        }

        // Near the optimum the gain drowns in the rounding of the value, hence the slack.
        let slack = 8.0 * f64::EPSILON * value.abs();
        let mut length = 1.0;
        let mut trial = target;
        let mut accepted = false;
        for _ in 0..MAX_HALVINGS {
            let trial_value = problem.value(&trial, &mut gradient);
            if trial_value <= value - 1e-4 * length * promise + slack {
                value = trial_value;
                accepted = true;
                break;
            }
            length *= 0.5;
            trial = theta.iter().zip(&step).map(|(theta, step)| theta + length * step).collect();
        }
        if !accepted {
            break;
        }
        theta = trial;
    }
    theta
}

impl Penalised<'_> {
    /// The objective at `theta`; `gradient` is that of its smooth part.
    fn value(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.rows.penalised(theta, &self.ridge, gradient) + l1_norm(&self.l1, theta)
    }

    /// The minimum of the quadratic model at `theta`, the point last evaluated, over the active parameters: those
    /// that are not 0, and those whose gradient is about to outweigh their l1 part.
    fn target(&self, theta: &[f64], gradient: &[f64]) -> Option<Vec<f64>> {
        let is_active =
            |j: &usize| self.l1[*j] == 0.0 || theta[*j] != 0.0 || gradient[*j].abs() > 0.9 * self.l1[*j];
        let active: Vec<usize> = (0..theta.len()).filter(is_active).collect();
        let pick = |values: &[f64]| -> Vec<f64> { active.iter().map(|&j| values[j]).collect() };
        let mut hessian = self.rows.hessian(&active);
        for (i, &j) in active.iter().enumerate() {
            hessian[i * active.len() + i] += self.ridge[j];
        }

        let (gradient, point) = (pick(gradient), pick(theta));
        let l1 = pick(&self.l1);
        let moved = if l1.iter().all(|&l1| l1 == 0.0) {
            let step = cholesky::solve(&hessian, &gradient)?;
            point.iter().zip(step).map(|(point, step)| point - step).collect()
        } else {
            quadratic::minimise(&hessian, &gradient, &point, &l1)
        };
        let mut target = theta.to_vec();
        for (&j, value) in active.iter().zip(moved) {
            target[j] = value;
        }
        Some(target)
    }
}

fn l1_norm(l1: &[f64], theta: &[f64]) -> f64 {
    l1.iter().zip(theta).fold(0.0, |total, (l1, theta)| total + l1 * theta.abs())
}
