//! Replicates to where the network's solver stops.

use super::passes::gradients;
use super::query::Query;
use super::{Replicates, check, class_sums, model};
use crate::logistic::{FitError, Minimiser, Model, Penalty};

/// One replicate on the path of the network's solver.
struct Path {
    replicate: usize,
    /// Class weights, divided by the sum of all weights as the objective is.
    scale: [f64; 2],
    /// The penalty's factor, divided likewise.
    ridge: f64,
    minimiser: Minimiser,
    gradient: Vec<f64>,
    is_open: bool,
}

/// Each replicate of a [`Penalty::L2`] problem to where the network's scorer stops; `None` if it has one class only.
///
/// As [`logistic::fit`](crate::logistic::fit) with [`Stop::Network`](crate::logistic::Stop::Network) and the
/// multiplicity of each row times its weight, but for rounding: each replicate takes the steps that it would take
/// alone, and all that are still on their way share the passes over the rows. Memory: nothing per row.
///
/// # Errors
/// As [`logistic::fit`](crate::logistic::fit), and [`FitError::BadParameter`] for another penalty.
pub fn fit_network(
    problem: &Replicates<'_>,
    tol: f64,
    max_iter: usize,
) -> Result<Vec<Option<Model>>, FitError> {
    check(problem)?;
    if problem.penalty != Penalty::L2 {
        let name = "penalty";
        return Err(FitError::BadParameter { name, value: f64::NAN, allowed: "L2 where the network stops" });
    }
    let order = problem.x.width() + 1;
    let mut paths = Vec::with_capacity(problem.starts.len());
    for replicate in 0..problem.starts.len() {
        let sums = class_sums(problem, replicate);
        if sums.iter().all(|&sum| sum > 0.0) {
            let total = sums[0] + sums[1];
            paths.push(Path {
                replicate,
                scale: problem.class_weights(sums).map(|weight| weight / total),
                ridge: 1.0 / (problem.c * total),
                minimiser: Minimiser::new(order, tol, max_iter),
                gradient: vec![0.0; order],
                is_open: true,
            });
        }
    }
    loop {
        let mut open: Vec<&mut Path> = paths.iter_mut().filter(|path| path.is_open).collect();
        if open.is_empty() {
            break;
        }
        let mut queries: Vec<Query<'_>> = open.iter_mut().map(|path| path.query()).collect();
        gradients::<true>(problem, &mut queries);
        let values: Vec<f64> = queries.iter().map(|query| query.value).collect();
        open.into_iter().zip(values).for_each(|(path, value)| path.advance(value));
    }
    let mut models = vec![None; problem.starts.len()];
    for path in paths {
        models[path.replicate] = Some(model(&path.minimiser.into_point()));
    }
    Ok(models)
}

impl Path {
    fn query(&mut self) -> Query<'_> {
        Query {
            replicate: self.replicate,
            scale: self.scale,
            theta: self.minimiser.trial(),
            gradient: &mut self.gradient,
            value: 0.0,
        }
    }

    /// Adds the penalty, and takes a step.
    fn advance(&mut self, mut value: f64) {
        let width = self.gradient.len() - 1;
        for (gradient, theta) in self.gradient[..width].iter_mut().zip(self.minimiser.trial()) {
            *gradient += self.ridge * theta;
            value += 0.5 * self.ridge * theta * theta;
        }
        self.is_open = self.minimiser.feed(value, &self.gradient);
    }
}
