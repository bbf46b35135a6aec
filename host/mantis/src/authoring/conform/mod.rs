//! The conformance suite: whether a plugin keeps its contract, and how it treats simulated miners.
//!
//! Every call of the plugin happens in a worker process. [`world`] makes the miners, [`bench`] has them scored,
//! [`robustness`] tries what a plugin must refuse or bear, [`scores`] what its scores must be.

mod bench;
mod forecasts;
mod plan;
mod recorded;
mod report;
mod robustness;
mod scores;
mod suite;
mod world;

pub use plan::{Bars, Plan};
pub use recorded::{Recorded, RecordedError};
pub use report::{Check, Report, Verdict};
pub use suite::conform;
