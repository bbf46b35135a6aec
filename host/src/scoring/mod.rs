//! Scoring a ledger: every challenge of the configuration, each in a worker process, several at a time.

mod inspect;
mod memory;
mod run;

pub(crate) use inspect::session;
pub use inspect::{Inspected, check, decode, inspect};
pub use run::{Observer, Options, Quiet, Scored, Scores, score};
