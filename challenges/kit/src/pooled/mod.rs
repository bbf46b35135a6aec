//! The pooled cross-sectional walk-forward: which miners tell the assets that will do better than the rest?
//!
//! Every (row, asset) pair with a label is one sample; a miner's number for that asset is its feature, 0 counts as
//! absent. Segment by segment, miners are selected by the AUC of a model of their own on recent rows, their
//! out-of-sample values on the past make a design matrix, an ensemble is fitted on it by block bootstrap, and what it
//! is worth on the segment itself scales its coefficients (scoring: xsec and funding).
//!
//! A number is a half float, so the models of single miners are fitted on counts per value that grow with the rows; each
//! of them is needed by all later segments and is fitted once.
//!
//! The ensemble of the row that comes next, [`Pooled::ahead`], forecasts it before anything of its label is known:
//! [`PooledFit`].

mod ahead;
mod counts;
mod ensemble;
mod error;
mod fit;
mod median;
mod miner;
mod outcome;
mod params;
mod plan;
mod read;
mod report;
mod share;
mod walk;

pub use error::PooledError;
pub use fit::PooledFit;
pub use median::above_median;
pub use outcome::{MinerOutcome, PooledOutcome, SegmentOutcome};
pub use params::PooledParams;
pub use plan::Pooled;
pub use read::read_rows;
pub use share::Share;
