//! Why it cannot be said what a strategy would earn.

use mantis_ledger::LedgerError;
use mantis_ledger::guest_file::GuestFileError;
use std::path::PathBuf;
use thiserror::Error;

/// Why it cannot be said what a strategy would earn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SalienceError {
    /// The table cannot be read, or one of its lines is wrong.
    #[error(transparent)]
    File(#[from] GuestFileError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file as a whole says nothing that can be scored.
    #[error("{path}: {reason}")]
    Useless {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The guest's name cannot be one.
    #[error("`{name}` cannot be the name of a column: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A challenge cannot be scored with a guest.
    #[error("{ticker}: {reason}")]
    Challenge {
        /// The challenge.
        ticker: String,
        /// Why, and what to do.
        reason: String,
    },
}
