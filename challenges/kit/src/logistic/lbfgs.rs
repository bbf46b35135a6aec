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

/// A minimisation from 0 that asks for one evaluation at a time, so that several can share the passes over their rows.
pub(crate) struct Minimiser {
    tol: f64,
    max_iter: usize,
    iteration: usize,
    point: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
    memory: VecDeque<Pair>,
    /// The line search that is under way; none before the first evaluation.
    search: Option<Search>,
    trial: Vec<f64>,
}

struct Search {
    direction: Vec<f64>,
    slope: f64,
    step: f64,
    line: LineSearch,
    evaluations: usize,
}

impl Minimiser {
    pub(crate) fn new(size: usize, tol: f64, max_iter: usize) -> Self {
        Self {
            tol,
            max_iter,
            iteration: 0,
            point: vec![0.0; size],
            gradient: Vec::new(),
            value: 0.0,
            memory: VecDeque::new(),
            search: None,
            trial: vec![0.0; size],
        }
    }

    /// Where to evaluate next.
    pub(crate) fn trial(&self) -> &[f64] {
        &self.trial
    }

    /// Takes in value and gradient at [`Self::trial`]. Whether another evaluation is wanted.
    pub(crate) fn feed(&mut self, value: f64, gradient: &[f64]) -> bool {
        let Some(mut search) = self.search.take() else {
            (self.value, self.gradient) = (value, gradient.to_vec());
            return self.begin();
        };
        search.evaluations += 1;
        let slope = math::dot(gradient, &search.direction);
        match search.line.next(value, slope) {
            Next::Try(step) if search.evaluations < MAX_EVALUATIONS => {
                search.step = step;
                self.go_to(search);
                true
            }
            Next::Try(_) => self.forget(),
            Next::Done => self.accept(&search, value, slope, gradient),
        }
    }

    /// The minimum, once [`Self::feed`] wants no more.
    pub(crate) fn into_point(self) -> Vec<f64> {
        self.point
    }

    /// Begins an iteration, unless the minimum is found.
    fn begin(&mut self) -> bool {
        if self.iteration >= self.max_iter || max_abs(&self.gradient) <= self.tol {
            return false;
        }
        let direction = direction(&self.memory, &self.gradient);
        let slope = math::dot(&self.gradient, &direction);
        let first = if self.iteration == 0 { 1.0 / math::dot(&direction, &direction).sqrt() } else { 1.0 };
        let step = first.min(1e10);
        if slope < 0.0 {
            let line = LineSearch::new(self.value, slope, step);
            self.go_to(Search { direction, slope, step, line, evaluations: 0 });
            true
        } else {
            self.forget()
        }
    }

    /// As SciPy if a search fails: forgets what was learnt and tries once more along the gradient.
    fn forget(&mut self) -> bool {
        if self.memory.is_empty() {
            return false;
        }
        self.memory.clear();
        self.begin()
    }

    fn go_to(&mut self, search: Search) {
        for (trial, (point, direction)) in self.trial.iter_mut().zip(self.point.iter().zip(&search.direction))
        {
            *trial = point + search.step * direction;
        }
        self.search = Some(search);
    }

    fn accept(&mut self, search: &Search, value: f64, slope: f64, gradient: &[f64]) -> bool {
        let change: Vec<f64> = gradient.iter().zip(&self.gradient).map(|(new, old)| new - old).collect();
        let product = (slope - search.slope) * search.step;
        let gain = self.value - value;
        let scale = self.value.abs().max(value.abs()).max(1.0);
        self.point.copy_from_slice(&self.trial);
        self.gradient.copy_from_slice(gradient);
        self.value = value;
        self.iteration += 1;
        if gain <= MIN_GAIN * scale {
            return false;
        }
        if product > f64::EPSILON * -search.slope * search.step {
            if self.memory.len() == MEMORY {
                self.memory.pop_front();
            }
            let moved = search.direction.iter().map(|direction| search.step * direction).collect();
            self.memory.push_back(Pair { point: moved, gradient: change, product });
        }
        self.begin()
    }
}

/// Minimises `objective(point, gradient) -> value` over `size` parameters, from 0.
pub(super) fn minimise(
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
    size: usize,
    tol: f64,
    max_iter: usize,
) -> Vec<f64> {
    let mut minimiser = Minimiser::new(size, tol, max_iter);
    let mut gradient = vec![0.0; size];
    loop {
        let value = objective(minimiser.trial(), &mut gradient);
        if !minimiser.feed(value, &gradient) {
            return minimiser.into_point();
        }
    }
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
