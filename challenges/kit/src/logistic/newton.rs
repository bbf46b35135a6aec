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

/// Part of its promise by which a step may overshoot the minimum along itself, so that it need not be asked for its value.
const OVERSHOT: f64 = 0.25;
/// How much more than the whole loss at zero a step may promise and be believed: the model is of no use where the loss is all
/// but straight, and promises what is not there to be had.
const BELIEVED: f64 = 2.0 * std::f64::consts::LN_2;
/// How much larger than foretold the promise after a step may be.
const MISTAKEN: f64 = 100.0;

/// The optimum, from `theta` on.
///
/// The objective is convex; where the ridge is 1, half the squared distance to the optimum is at most what the model
/// promises of a step, so the promise tells when to stop: at a relative distance of 1e-10, after which one more step
/// (already computed, and of quadratic convergence) is taken. Without an l1 part the promise after that step is foretold
/// from this one and the one before, and the step is the last if that will do.
pub(super) fn minimise(problem: &mut Penalised<'_>, theta: Vec<f64>) -> Vec<f64> {
    if problem.l1.iter().all(|&l1| l1 == 0.0) { smooth(problem, theta) } else { proximal(problem, theta) }
}

/// Newton's method proper, mostly by gradients alone.
fn smooth(problem: &mut Penalised<'_>, mut theta: Vec<f64>) -> Vec<f64> {
    let mut gradient = vec![0.0; theta.len()];
    let mut next = gradient.clone();
    let most = BELIEVED * problem.rows.weight();
    problem.gradient(&theta, &mut gradient);
    // The promise of the last step, if all of it was taken.
    let mut before = None;
    for _ in 0..MAX_STEPS {
        let Some(target) = problem.target(&theta, &gradient) else { break };
        let step = difference(&target, &theta);
        let promise = -math::dot(&gradient, &step);
        if promise.is_nan() || promise <= 0.0 {
            break;
        }
        let goal = goal(&theta);
        if promise > most {
            before = None;
        }
        // The length of a step is quadratic in that of the one before, and the promise is the square of a length.
        let foretold =
            before.map_or(f64::INFINITY, |before| promise * (promise / before) * (promise / before));
        if promise <= goal || MISTAKEN * foretold <= goal {
            theta = target;
            break;
        }
        if promise <= most {
            problem.gradient(&target, &mut next);
            if math::dot(&next, &step) <= OVERSHOT * promise {
                theta = target;
                std::mem::swap(&mut gradient, &mut next);
                before = Some(promise);
                continue;
            }
        }
        // It goes too far: whether it gains at all is for the values to say.
        before = None;
        let value = problem.value(&theta, &mut gradient);
        if value.is_finite() {
            let Some(found) = search(problem, &theta, target, value, promise, &mut gradient) else { break };
            theta = found.0;
        } else if theta.iter().all(|&theta| theta == 0.0) {
            break;
        } else {
            theta.fill(0.0);
            problem.gradient(&theta, &mut gradient);
        }
    }
    theta
}

/// The proximal form.
fn proximal(problem: &mut Penalised<'_>, mut theta: Vec<f64>) -> Vec<f64> {
    let mut gradient = vec![0.0; theta.len()];
    let mut value = problem.value(&theta, &mut gradient);
    if !value.is_finite() {
        theta.fill(0.0);
        value = problem.value(&theta, &mut gradient);
    }
    for _ in 0..MAX_STEPS {
        let Some(target) = problem.target(&theta, &gradient) else { break };
        let step = difference(&target, &theta);
        // Term by term: the difference of the two norms would drown in their rounding.
        let l1_growth = (problem.l1.iter().zip(target.iter().zip(&theta)))
            .fold(0.0, |total, (l1, (target, theta))| total + l1 * (target.abs() - theta.abs()));
        let promise = -math::dot(&gradient, &step) - l1_growth;
        if promise.is_nan() || promise <= 0.0 {
            break;
        }
        if promise <= goal(&theta) {
            theta = target;
            break;
        }
        let Some(found) = search(problem, &theta, target, value, promise, &mut gradient) else { break };
        (theta, value) = found;
    }
    theta
}

/// The promise at which a step is the last.
fn goal(theta: &[f64]) -> f64 {
    1e-20 * math::dot(theta, theta).max(1e-6)
}

/// The first point that gains enough, of the target and those that halve the way to it again and again: it, and its value.
/// Its gradient comes into `gradient`.
fn search(
    problem: &mut Penalised<'_>,
    theta: &[f64],
    target: Vec<f64>,
    value: f64,
    promise: f64,
    gradient: &mut [f64],
) -> Option<(Vec<f64>, f64)> {
    // Near the optimum the gain drowns in the rounding of the value, hence the slack.
    let slack = 8.0 * f64::EPSILON * value.abs();
    let step = difference(&target, theta);
    let mut length = 1.0;
    let mut trial = target;
    for _ in 0..MAX_HALVINGS {
        let found = problem.value(&trial, gradient);
        if found <= value - 1e-4 * length * promise + slack {
            return Some((trial, found));
        }
        length *= 0.5;
        trial = theta.iter().zip(&step).map(|(theta, step)| theta + length * step).collect();
    }
    None
}

fn difference(to: &[f64], from: &[f64]) -> Vec<f64> {
    to.iter().zip(from).map(|(to, from)| to - from).collect()
}

impl Penalised<'_> {
    /// The objective at `theta`; `gradient` is that of its smooth part.
    fn value(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.rows.penalised(theta, &self.ridge, gradient) + l1_norm(&self.l1, theta)
    }

    /// The gradient of the smooth part at `theta`.
    fn gradient(&mut self, theta: &[f64], gradient: &mut [f64]) {
        self.rows.penalised_gradient(theta, &self.ridge, gradient);
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
