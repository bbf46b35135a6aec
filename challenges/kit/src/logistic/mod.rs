//! Weighted logistic regression (scoring: numerics), solved to its optimum or stopped as the network stops.
//!
//! For labels y, sample weights s and class weights c, [`fit`] minimises over w and b
//!
//! ```text
//! C * sum_i s_i c_{y_i} log(1 + exp(-(2 y_i - 1)(w . x_i + b))) + R(w, b)
//! ```
//!
//! with the regulariser R of a [`Penalty`].

mod cholesky;
mod design;
mod error;
mod gram;
mod lbfgs;
mod line_search;
mod loss;
mod newton;
mod problem;
mod quadratic;
mod rows;
mod saga;
mod stop;
mod trust_region;

pub use design::{Design, Model};
pub use error::FitError;
pub use problem::{Penalty, Problem, fit, has_both_classes};
pub use stop::Stop;

pub(crate) use lbfgs::Minimiser;
pub(crate) use problem::{class_weights, solve};
pub(crate) use rows::Rows;
pub(crate) use saga::{Saga, Sample, Table};
pub(crate) use trust_region::{Ask, TrustRegion};

/// Rows handled at a time, so that what is computed of them stays in the nearest cache.
const BLOCK: usize = 512;
