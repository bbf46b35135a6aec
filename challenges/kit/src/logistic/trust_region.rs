//! Trust-region Newton, as liblinear's (scoring: numerics, `network`).

use super::Rows;
use crate::math;

/// Part of the gradient that the conjugate gradients may leave.
const RESIDUAL: f64 = 0.1;
/// A fuse: a product of a matrix whose residual rounding keeps from falling is wanted no more often.
const MAX_PRODUCTS: usize = 10_000;
/// Gain over promise from which a step is taken, and those from which it was a fair and a good one.
const TAKEN: f64 = 1e-4;
const FAIR: f64 = 0.25;
const GOOD: f64 = 0.75;
/// Factors by which the radius shrinks and grows.
const QUARTER: f64 = 0.25;
const HALF: f64 = 0.5;
const FOURFOLD: f64 = 4.0;
/// Gain and promise, relative to the value, that are taken as none.
const MIN_GAIN: f64 = 1e-12;

/// What a minimisation wants to know next.
#[derive(Debug)]
pub(crate) enum Ask<'a> {
    /// Value and gradient at a point: [`TrustRegion::feed_value`].
    Value(&'a [f64]),
    /// The product of the second derivatives at `point` with `direction`: [`TrustRegion::feed_product`].
    Product { point: &'a [f64], direction: &'a [f64] },
    /// Nothing: it is over.
    Nothing,
}

/// A minimisation from 0 that asks for one thing at a time, so that several can share the passes over their rows.
///
/// Of `1/2 |theta|^2` plus a convex loss; both are the caller's to evaluate.
#[derive(Debug)]
pub(crate) struct TrustRegion {
    /// The end: norm of the gradient, first relative to that at the start, then absolute.
    target: f64,
    steps_left: usize,
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    radius: f64,
    is_first: bool,
    model: Model,
    trial: Vec<f64>,
    stage: Stage,
}

#[derive(Debug, PartialEq)]
enum Stage {
    /// Nothing is known yet.
    Start,
    /// Conjugate gradients are under way.
    Model,
    /// A step waits for its value.
    Trial,
    Over,
}

/// Conjugate gradients on the quadratic model.
#[derive(Debug, Default)]
struct Model {
    step: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    /// Squared norm of the residual.
    square: f64,
    products: usize,
}

impl TrustRegion {
    /// Ends where the norm of the gradient is at most `tol * max(1, rarer) / rows` of that at 0, `rarer` being the number
    /// of rows of the rarer class of `classes`, or after `max_iter` steps.
    pub(crate) fn new(size: usize, classes: [usize; 2], tol: f64, max_iter: usize) -> Self {
        let [negative, positive] = classes;
        let rows = (negative + positive).max(1);
        Self {
            target: tol * negative.min(positive).max(1) as f64 / rows as f64,
            steps_left: max_iter,
            point: vec![0.0; size],
            value: 0.0,
            gradient: Vec::new(),
            radius: 0.0,
            is_first: true,
            model: Model::default(),
            trial: vec![0.0; size],
            stage: Stage::Start,
        }
    }

    /// What is wanted next.
    pub(crate) fn ask(&self) -> Ask<'_> {
        match self.stage {
            Stage::Start | Stage::Trial => Ask::Value(&self.trial),
            Stage::Model => Ask::Product { point: &self.point, direction: &self.model.direction },
            Stage::Over => Ask::Nothing,
        }
    }

    /// Takes in value and gradient at the point asked for. Whether that is now the point of [`Ask::Product`].
    pub(crate) fn feed_value(&mut self, value: f64, gradient: &[f64]) -> bool {
        if self.stage == Stage::Start {
            (self.value, self.gradient) = (value, gradient.to_vec());
            self.radius = norm(gradient);
            self.target *= self.radius;
            self.begin();
            return true;
        }
        let step = norm(&self.model.step);
        let slope = math::dot(&self.gradient, &self.model.step);
        let promise = 0.5 * (math::dot(&self.model.step, &self.model.residual) - slope);
        let gain = self.value - value;
        if self.is_first {
            self.radius = self.radius.min(step);
        }
        self.radius = self.next_radius(step, slope, gain, promise);
        let taken = gain > TAKEN * promise;
        if taken {
            self.is_first = false;
            self.steps_left -= 1;
            self.value = value;
            self.point.copy_from_slice(&self.trial);
            self.gradient.copy_from_slice(gradient);
        }
        let nothing = MIN_GAIN * self.value.abs();
        // Not to be met where the value is not finite, so that it ends there too.
        let goes_on = gain.is_finite() && (gain.abs() > nothing || promise.abs() > nothing);
        if goes_on && (gain != 0.0 || promise > 0.0) {
            self.begin();
        } else {
            self.stage = Stage::Over;
        }
        taken
    }

    /// Takes in the product asked for.
    pub(crate) fn feed_product(&mut self, product: &[f64]) {
        let stops = self.model.advance(product, self.radius) || self.model.products >= MAX_PRODUCTS;
        if stops || self.model.square.sqrt() <= RESIDUAL * norm(&self.gradient) {
            self.go();
        }
    }

    /// The minimum, once nothing is asked for.
    pub(crate) fn into_point(self) -> Vec<f64> {
        self.point
    }

    /// Begins a round, unless the minimum is found.
    fn begin(&mut self) {
        let norm = norm(&self.gradient);
        // Not a plain "at most": the gradient may hold NaN.
        let is_above = norm > self.target && norm.is_finite();
        if !is_above || self.steps_left == 0 {
            self.stage = Stage::Over;
            return;
        }
        self.model = Model::new(&self.gradient);
        self.stage = Stage::Model;
    }

    /// Goes to where the model has its minimum.
    fn go(&mut self) {
        for (trial, (point, step)) in self.trial.iter_mut().zip(self.point.iter().zip(&self.model.step)) {
            *trial = point + step;
        }
        self.stage = Stage::Trial;
    }

    /// The radius after a step of this length, by how much of its promise it kept.
    fn next_radius(&self, step: f64, slope: f64, gain: f64, promise: f64) -> f64 {
        let above = -gain - slope;
        let factor = if above <= 0.0 { FOURFOLD } else { f64::max(QUARTER, -0.5 * (slope / above)) };
        let radius = self.radius;
        if gain < TAKEN * promise {
            f64::min(f64::max(factor, QUARTER) * step, HALF * radius)
        } else if gain < FAIR * promise {
            f64::max(QUARTER * radius, f64::min(factor * step, HALF * radius))
        } else if gain < GOOD * promise {
            f64::max(QUARTER * radius, f64::min(factor * step, FOURFOLD * radius))
        } else {
            f64::max(radius, f64::min(factor * step, FOURFOLD * radius))
        }
    }
}

impl Model {
    fn new(gradient: &[f64]) -> Self {
        let residual: Vec<f64> = gradient.iter().map(|gradient| -gradient).collect();
        let square = math::dot(&residual, &residual);
        Self { step: vec![0.0; gradient.len()], direction: residual.clone(), residual, square, products: 0 }
    }

    /// One step of the conjugate gradients. Whether it ended on the sphere.
    fn advance(&mut self, product: &[f64], radius: f64) -> bool {
        self.products += 1;
        let length = self.square / math::dot(&self.direction, product);
        let moved: Vec<f64> =
            self.step.iter().zip(&self.direction).map(|(step, d)| step + length * d).collect();
        if norm(&moved) > radius {
            let length = self.length_to(radius);
            math::axpy(length, &self.direction, &mut self.step);
            math::axpy(-length, product, &mut self.residual);
            return true;
        }
        self.step = moved;
        math::axpy(-length, product, &mut self.residual);
        let square = math::dot(&self.residual, &self.residual);
        let turn = square / self.square;
        for (direction, residual) in self.direction.iter_mut().zip(&self.residual) {
            *direction = residual + turn * *direction;
        }
        self.square = square;
        false
    }

    /// How far along the direction the sphere is.
    fn length_to(&self, radius: f64) -> f64 {
        let along = math::dot(&self.step, &self.direction);
        let direction = math::dot(&self.direction, &self.direction);
        let room = radius * radius - math::dot(&self.step, &self.step);
        let root = (along * along + direction * room).max(0.0).sqrt();
        // Of the two forms of the root, the one without a difference.
        if along >= 0.0 { room / (along + root) } else { (root - along) / direction }
    }
}

/// Minimises the loss of `rows` plus `1/2 |theta|^2`, from 0.
pub(super) fn minimise(rows: &mut Rows<'_>, tol: f64, max_iter: usize) -> Vec<f64> {
    let order = rows.width() + 1;
    let ridge = vec![1.0; order];
    let all: Vec<usize> = (0..order).collect();
    let mut minimiser = TrustRegion::new(order, rows.classes(), tol, max_iter);
    let mut hessian = Vec::new();
    let mut answer = vec![0.0; order];
    loop {
        match minimiser.ask() {
            Ask::Value(point) => {
                let value = rows.penalised(point, &ridge, &mut answer);
                if minimiser.feed_value(value, &answer) {
                    // Only now: the rows hold the curvature of the point last evaluated.
                    hessian = rows.hessian(&all);
                }
            }
            Ask::Product { direction, .. } => {
                for (i, answer) in answer.iter_mut().enumerate() {
                    *answer = direction[i] + math::dot(&hessian[i * order..][..order], direction);
                }
                minimiser.feed_product(&answer);
            }
            Ask::Nothing => return minimiser.into_point(),
        }
    }
}

fn norm(values: &[f64]) -> f64 {
    math::dot(values, values).sqrt()
}
