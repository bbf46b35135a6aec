//! Scoring a ledger: every challenge of the configuration, each in a worker process, several at a time.

mod failure;
mod given;
mod history;
mod inspect;
mod labelled;
mod memory;
mod observer;
mod options;
mod parallel;
pub mod plugins;
mod run;
mod saliences;
pub mod scratch;
pub mod worker;

pub use history::size_of;
pub use inspect::{Inspected, check, decode, inspect, session, session_job};
pub use labelled::Labelled;
pub use observer::{Observer, Quiet};
pub use options::Options;
pub use parallel::fan_out;
pub use run::score;
pub use saliences::{CacheCounts, CacheError, SalienceCache, clear_saliences};
