//! Replicates to where the network's solvers stop.

use super::Replicates;
use super::passes::{curvature_products, gradients};
use super::query::Query;
use super::{check, class_sums, model};
use crate::logistic::{Ask, FitError, Minimiser, Model, Penalty, TrustRegion};
use crate::math;

/// Each replicate to where the network's scorer stops; `None` if it has one class only.
///
/// As [`logistic::fit`](crate::logistic::fit) with [`Stop::Network`](crate::logistic::Stop::Network) of the rows, each as
/// often as it was drawn, but for rounding: each replicate takes the steps that it would take alone, and all that are
/// still on their way share the passes over the rows. Memory: nothing per row.
///
/// # Errors
/// As [`logistic::fit`](crate::logistic::fit), and [`FitError::BadParameter`] for an elastic net.
pub fn fit_network(
    problem: &Replicates<'_>,
    tol: f64,
    max_iter: usize,
) -> Result<Vec<Option<Model>>, FitError> {
    check(problem)?;
    let sums: Vec<[f64; 2]> = (0..problem.starts.len()).map(|b| class_sums(problem, b)).collect();
    let usable: Vec<usize> = (0..sums.len()).filter(|&b| sums[b].iter().all(|&sum| sum > 0.0)).collect();
    let order = problem.x.width() + 1;
    let points: Vec<Vec<f64>> = match problem.penalty {
        Penalty::L2 => {
            let path = |&b: &usize| LbfgsPath::new(problem, b, sums[b], Minimiser::new(order, tol, max_iter));
            walk_lbfgs(problem, usable.iter().map(path).collect())
        }
        Penalty::L2Bias => {
            let path = |&b: &usize| {
                let minimiser = TrustRegion::new(order, problem.classes(b), tol, max_iter);
                TrustPath::new(problem, b, sums[b], minimiser)
            };
            walk_trust(problem, usable.iter().map(path).collect())
        }
        Penalty::ElasticNet { .. } => {
            let name = "penalty";
            return Err(FitError::BadParameter { name, value: f64::NAN, allowed: "L2 or L2-bias here" });
        }
    };
    let mut models = vec![None; sums.len()];
    for (b, point) in usable.into_iter().zip(points) {
        models[b] = Some(model(&point));
    }
    Ok(models)
}

/// One replicate on the path of L-BFGS.
struct LbfgsPath {
    replicate: usize,
    /// Class weights, divided by the sum of all weights as the objective is.
    scale: [f64; 2],
    /// The penalty's factor, divided likewise.
    ridge: f64,
    minimiser: Minimiser,
    gradient: Vec<f64>,
    is_open: bool,
}

/// All to their ends; where these are.
fn walk_lbfgs(problem: &Replicates<'_>, mut paths: Vec<LbfgsPath>) -> Vec<Vec<f64>> {
    loop {
        let mut open: Vec<&mut LbfgsPath> = paths.iter_mut().filter(|path| path.is_open).collect();
        if open.is_empty() {
            return paths.into_iter().map(|path| path.minimiser.into_point()).collect();
        }
        let mut queries: Vec<Query<'_>> = open.iter_mut().map(|path| path.query()).collect();
        gradients::<true>(problem, &mut queries);
        let values: Vec<f64> = queries.iter().map(|query| query.value).collect();
        open.into_iter().zip(values).for_each(|(path, value)| path.advance(value));
    }
}

impl LbfgsPath {
    fn new(problem: &Replicates<'_>, replicate: usize, sums: [f64; 2], minimiser: Minimiser) -> Self {
        let total = sums[0] + sums[1];
        Self {
            replicate,
            scale: problem.class_weights(sums).map(|weight| weight / total),
            ridge: 1.0 / (problem.c * total),
            gradient: vec![0.0; problem.x.width() + 1],
            minimiser,
            is_open: true,
        }
    }

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

/// One replicate on the path of the trust region.
struct TrustPath {
    replicate: usize,
    /// Class weights times C.
    scale: [f64; 2],
    minimiser: TrustRegion,
    /// The answer to what was asked: a gradient or a product.
    answer: Vec<f64>,
}

/// All to their ends; where these are. Values are had in one pass, products in another.
fn walk_trust(problem: &Replicates<'_>, mut paths: Vec<TrustPath>) -> Vec<Vec<f64>> {
    loop {
        let mut wants_value = Vec::new();
        let mut wants_product = Vec::new();
        for path in &mut paths {
            match path.minimiser.ask() {
                Ask::Value(_) => wants_value.push(path),
                Ask::Product { .. } => wants_product.push(path),
                Ask::Nothing => {}
            }
        }
        if wants_value.is_empty() && wants_product.is_empty() {
            return paths.into_iter().map(|path| path.minimiser.into_point()).collect();
        }
        let (mut queries, _) = ask(&mut wants_value);
        gradients::<true>(problem, &mut queries);
        let values: Vec<f64> = queries.iter().map(|query| query.value).collect();
        wants_value.into_iter().zip(values).for_each(|(path, value)| path.feed_value(value));

        let (mut queries, directions) = ask(&mut wants_product);
        curvature_products(problem, &mut queries, &directions);
        wants_product.into_iter().for_each(TrustPath::feed_product);
    }
}

/// What the paths want, and in which directions, if they want products.
fn ask<'a>(paths: &'a mut [&mut TrustPath]) -> (Vec<Query<'a>>, Vec<&'a [f64]>) {
    paths.iter_mut().map(|path| path.query()).unzip()
}

impl TrustPath {
    fn new(problem: &Replicates<'_>, replicate: usize, sums: [f64; 2], minimiser: TrustRegion) -> Self {
        let scale = problem.class_weights(sums).map(|weight| weight * problem.c);
        Self { replicate, scale, minimiser, answer: vec![0.0; problem.x.width() + 1] }
    }

    fn query(&mut self) -> (Query<'_>, &[f64]) {
        let (theta, direction): (&[f64], &[f64]) = match self.minimiser.ask() {
            Ask::Value(point) => (point, &[]),
            Ask::Product { point, direction } => (point, direction),
            Ask::Nothing => (&[], &[]),
        };
        let gradient = &mut self.answer[..];
        (Query { replicate: self.replicate, scale: self.scale, theta, gradient, value: 0.0 }, direction)
    }

    /// Adds the penalty to value and gradient, and goes on.
    fn feed_value(&mut self, mut value: f64) {
        if let Ask::Value(point) = self.minimiser.ask() {
            self.answer.iter_mut().zip(point).for_each(|(gradient, theta)| *gradient += theta);
            value += 0.5 * math::dot(point, point);
        }
        self.minimiser.feed_value(value, &self.answer);
    }

    /// Adds the penalty's part to the product, and goes on.
    fn feed_product(&mut self) {
        if let Ask::Product { direction, .. } = self.minimiser.ask() {
            self.answer.iter_mut().zip(direction).for_each(|(product, direction)| *product += direction);
        }
        self.minimiser.feed_product(&self.answer);
    }
}
