//! The ledger: what was sampled, block by block, in the network's SQLite format (`datalog.db`).
//!
//! [`Ledger::read`] looks at a file and leaves it as it is; [`Ledger::open`] also writes, and keeps the file
//! readable by the network's other programs. Our own tables are prefixed `host_`.

mod activity;
mod append;
mod blob;
mod cycles;
mod directory;
mod drand;
mod error;
mod history;
mod lock;
mod look;
mod mature;
mod open;
mod prune;
mod rejections;
mod reports;
mod rows;
mod sample;
mod schema;
mod tables;
mod tracked;
mod weights;

pub(crate) use blob::is_nonzero;
pub(crate) use directory::Directory;

pub use activity::{Activities, Activity};
pub use append::{Record, Step};
pub use blob::{Submissions, SubmissionsIter};
pub use cycles::{Attempt, Cycle, Sent};
pub use error::LedgerError;
pub use history::{ChallengeLine, CycleLine, MinerCounts, Past, SalienceLine, WeightLine};
pub use lock::{Holder, Lock};
pub use look::{Pages, Stretch};
pub use mature::{Matured, Pending};
pub use open::Ledger;
pub use prune::Horizon;
pub use rejections::{Counts, Rejection, Stage, Totals};
pub use rows::{Row, Tally, Warnings};
pub use sample::{Accepted, Arrival, Sample};
pub use tables::Ticker;
pub use weights::Weights;

#[cfg(test)]
mod refusal_test;
