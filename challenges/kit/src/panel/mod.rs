//! Panel walk-forward: miners rank assets against each other, and models over all (row, asset) samples pooled say who
//! adds to the ranking (scoring: xsec; funding).
//!
//! A challenge brings labels ([`Samples`]) and constants ([`Settings`]); [`score`] does the rest, segment by segment:
//! select miners by the AUC of a model of their own, turn what each sends into walk-forward values, fit one ensemble
//! over these by block bootstrap, and weigh its coefficients by its AUC on the segment.

mod column;
mod counts;
mod ensemble;
mod plan;
mod report;
mod samples;
mod score;

pub use plan::{Segment, Settings};
pub use samples::Samples;
pub use score::score;
