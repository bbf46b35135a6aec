//! SciPy's L-BFGS-B without bounds (scoring: numerics, `network`).

use std::collections::VecDeque;

use super::line_search::{LineSearch, Next};
use crate::math;

const MEMORY: usize = 10;
const MAX_EVALUATIONS: usize = 50;
/// The gain, relative to the value, that is taken as none.
const MIN_GAIN: f64 = 64.0 * f64::EPSILON;

/// A change of the point, and that of the gradient.
struct Pair {
    point: Vec<f64>,
    gradient: Vec<f64>,
    product: f64,
}

/// Minimises `objective(point, gradient) -> value` over `size` parameters, from 0.
pub(super) fn minimise(
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
    size: usize,
    tol: f64,
    max_iter: usize,
) -> Vec<f64> {
    let mut point = vec![0.0; size];
    let mut gradient = vec![0.0; size];
    let mut value = objective(&point, &mut gradient);
    let mut memory: VecDeque<Pair> = VecDeque::new();
    let mut trial = point.clone();
    let mut trial_gradient = gradient.clone();
    let mut iteration = 0;
    while iteration < max_iter && max_abs(&gradient) > tol {
        let direction = direction(&memory, &gradient);
        let slope = math::dot(&gradient, &direction);
        let first = if iteration == 0 { 1.0 / math::dot(&direction, &direction).sqrt() } else { 1.0 };

        let mut step = first.min(1e10);
        let mut search = LineSearch::new(value, slope, step);
        let mut found = None;
        if slope < 0.0 {
            for _ in 0..MAX_EVALUATIONS {
                for (trial, (point, direction)) in trial.iter_mut().zip(point.iter().zip(&direction)) {
                    *trial = point + step * direction;
                }
                let trial_value = objective(&trial, &mut trial_gradient);
                let trial_slope = math::dot(&trial_gradient, &direction);
                match search.next(trial_value, trial_slope) {
                    Next::Try(next) => step = next,
                    Next::Done => {
                        found = Some((trial_value, trial_slope));
                        break;
                    }
                }
            }
        }
        let Some((new_value, new_slope)) = found else {
            if memory.is_empty() {
                break;
            }
            // As SciPy: forget what was learnt and try once more along the gradient.
            memory.clear();
            continue;
        };

        let change: Vec<f64> = trial_gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let product = (new_slope - slope) * step;
        let gain = value - new_value;
        let scale = value.abs().max(new_value.abs()).max(1.0);
        point.copy_from_slice(&trial);
        gradient.copy_from_slice(&trial_gradient);
        value = new_value;
        iteration += 1;
        if gain <= MIN_GAIN * scale {
            break;
        }
        if product > f64::EPSILON * -slope * step {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            let moved = direction.iter().map(|direction| step * direction).collect();
            memory.push_back(Pair { point: moved, gradient: change, product });
        }
    }
    point
}

/// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
fn direction(memory: &VecDeque<Pair>, gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|gradient| -gradient).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let factor = math::dot(&pair.point, &direction) / pair.product;
        math::axpy(-factor, &pair.gradient, &mut direction);
        factors.push(factor);
    }
    if let Some(newest) = memory.back() {
        let scale = newest.product / math::dot(&newest.gradient, &newest.gradient);
        direction.iter_mut().for_each(|value| *value *= scale);
    }
    for (pair, factor) in memory.iter().zip(factors.into_iter().rev()) {
        let correction = math::dot(&pair.gradient, &direction) / pair.product;
        math::axpy(factor - correction, &pair.point, &mut direction);
    }
    direction
}

fn max_abs(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| f64::max(largest, value.abs()))
}
