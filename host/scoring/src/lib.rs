//! Scoring a ledger: every challenge of the configuration, each in a worker process, several at a time.

mod ahead;
mod batch;
mod failure;
mod files;
mod fitted;
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

pub use ahead::{AheadObserver, ScoringSet, score_ahead};
pub use batch::{BatchError, EngineAnswer, kept_histories};
pub use files::size_of;
pub use fitted::{FittedEnsemble, fit, outlook};
pub use inspect::{Inspected, ask_engine, check, decode, inspect, session, session_job};
pub use labelled::Labelled;
pub use observer::{Attempt, AttemptState, Observer, Quiet};
pub use options::Options;
pub use parallel::fan_out;
pub use run::score;
pub use saliences::{CacheCounts, CacheError, SalienceCache, clear_saliences};
