//! Why a ledger could not be caught up.

use mantis_ledger::LedgerError;
use mantis_network::wallet::WalletError;
use mantis_release::ledger::LedgerRejection;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a published ledger could not be fetched. What was merged before is whole, and what was fetched is kept: the next attempt
/// goes on from there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatchUpError {
    /// No mirror gives a list that may be gone by.
    #[error("no mirror gives a list of the published ledger that can be taken: {}", reasons.join("; "))]
    NoList {
        /// Each mirror with its reason.
        reasons: Vec<String>,
    },
    /// No mirror gives any part.
    #[error("no mirror gives any part of the published ledger: {}; start again to try again", reasons.join("; "))]
    NoParts {
        /// What they said.
        reasons: Vec<String>,
    },
    /// The list is its publisher's, and cannot be gone by.
    #[error(transparent)]
    Rejected(#[from] LedgerRejection),
    /// The publisher is no hotkey.
    #[error(transparent)]
    Publisher(#[from] WalletError),
    /// Our own ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The disk.
    #[error("{path}: {source}; it needs room for what is fetched, and for the rows")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
