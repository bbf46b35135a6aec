//! How good answers are, beside what came true.
//!
//! All are measured on what a validator would have stored. Labels of neighbouring rows overlap, so intervals come from
//! resampled blocks of rows, and `n_eff` counts horizons, not rows.

mod bootstrap;
mod measures;
mod order;
mod sample;

pub use bootstrap::Resampling;
pub use measures::{Bin, Measures, Metric};
pub use sample::Sample;
