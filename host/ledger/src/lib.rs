//! The ledger: what was sampled, block by block, in the network's SQLite format (`datalog.db`).
//!
//! [`Ledger::read`] looks at a file and leaves it as it is; [`Ledger::open`] also writes, and keeps the file
//! readable by the network's other programs. Our own tables are prefixed `host_`.

mod activity;
mod adopt;
mod agreement;
mod append;
mod blob;
mod chain_record;
mod computations;
mod delayed;
mod directory;
mod doubtful;
mod error;
pub mod export;
mod facts;
pub mod guest_file;
mod held;
mod inspect;
mod journal;
mod late;
mod layout;
mod lock;
mod mature;
mod open;
mod openings;
mod past;
mod prices;
mod prune;
pub mod published;
mod queries;
mod rejections;
mod releases;
mod reports;
mod rewind;
mod rows;
mod runs;
mod sample;
mod schema;
mod shape;
mod side;
mod signatures;
pub mod snapshot;
mod sum_all;
mod sums;
mod tracked;
mod vector;
mod weights;

pub(crate) use blob::is_nonzero;
pub(crate) use directory::Directory;

pub use activity::{Activities, Activity};
pub use agreement::AgreementRecord;
pub use append::{NewRow, SampledBlock};
pub use blob::{Submissions, SubmissionsIter};
pub use chain_record::{ChainRecord, Pruned};
pub use computations::{Attempt, Computation, Sent};
pub use delayed::Delayed;
pub use doubtful::DoubtfulPrice;
pub use error::LedgerError;
pub use facts::FactsHead;
pub use inspect::{PageCheck, SampledRange};
pub use journal::{JobJournal, JobTotals};
pub use layout::Layout;
pub use lock::{Holder, Lock};
pub use mature::{Matured, Pending};
pub use open::Ledger;
pub use past::{ChallengeLine, ComputationLine, MinerCounts, Past, ReasonLine, SalienceLine, WeightLine};
pub use prune::{Horizon, SPARE};
pub use queries::Ticker;
pub use rejections::{PayloadTotals, Rejection, RejectionCounts, Stage};
pub use releases::TakenRelease;
pub use rewind::Rewound;
pub use rows::{Row, Tally, Warnings};
pub use runs::Basis;
pub use sample::{Accepted, Arrival, Sample};
pub use vector::Vector;
pub use weights::Weights;

#[cfg(test)]
mod adopt_test;
#[cfg(test)]
mod refusal_test;
