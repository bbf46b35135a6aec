//! The track record of a signal: pure functions of settled forecasts, and of nothing else.
//!
//! `docs/signal.md` has the formulas and where they come from.

mod baseline;
mod bootstrap;
mod measure;
mod order;
mod portfolio;
#[cfg(test)]
mod record_test;
mod rows;
mod whole;

pub use measure::Measure;
pub use portfolio::Portfolio;
pub use whole::{Bin, Record, record};
