//! Why a ledger is not published.

use mantis_ledger::LedgerError;
use mantis_ledger::published::PublishedError;
use mantis_network::bucket::BucketError;
use mantis_release::ledger::LedgerRejection;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a ledger is not published. What was published before is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A part.
    #[error(transparent)]
    Part(#[from] PublishedError),
    /// The list.
    #[error(transparent)]
    List(#[from] LedgerRejection),
    /// There is nothing to publish.
    #[error(
        "{ledger}: no day of it is over yet: a part has 7,200 blocks, and the next one begins with block {next}"
    )]
    NoDay {
        /// The ledger.
        ledger: PathBuf,
        /// The block from which on there is a day that is over.
        next: mantis_config::Block,
    },
    /// The place has something else.
    #[error("{place}: {reason}; choose another folder")]
    Place {
        /// The folder.
        place: PathBuf,
        /// What.
        reason: String,
    },
    /// The store.
    #[error("{name} is not uploaded: {error}; publish again to go on from there")]
    Upload {
        /// The file.
        name: String,
        /// Why.
        error: BucketError,
    },
    /// The file system.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

impl PublicationError {
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File { path: path.into(), source }
    }
}
