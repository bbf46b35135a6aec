//! History computed once more: what a validator would have computed at blocks of the past, by the configuration of its time or
//! by others in its place.
//!
//! A [`Replay`] takes [`Candidate`]s over blocks and gives a [`Course`] of each. It goes by the validator's own code: the ledger
//! as it was at each block, rows up to `task_interval` before it, what stands in for a challenge that failed, the young, the
//! burn, and smoothing with the computation before *of that candidate*. Saliences are kept ([`mantis_scoring::SalienceCache`]),
//! so that [`sweep`] and another run score nothing twice.

mod ahead;
mod blocks;
mod candidate;
mod course;
mod error;
mod measure;
mod observer;
mod registered;
mod run;
mod sweep;

pub use blocks::{Range, chosen};
pub use candidate::{Candidate, SolverChoice};
pub use course::{Computed, Course, Likeness};
pub use error::ReplayError;
pub use mantis_scoring::CacheCounts;
pub use measure::{Gain, Group, Measured, Part, gains, measured, parts};
pub use observer::ReplayObserver;
pub use registered::RosterSource;
pub use run::{Replay, Replayed};
pub use sweep::{Swept, Weighting, sweep};
