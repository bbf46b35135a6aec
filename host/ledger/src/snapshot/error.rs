//! Why a snapshot could not be built or read.

use crate::LedgerError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a snapshot could not be built or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The request makes no sense.
    #[error("the snapshot of {ticker} cannot be built: {reason}")]
    SnapshotRequest {
        /// The ticker.
        ticker: String,
        /// Why.
        reason: String,
    },
    /// There is no complete snapshot in the folder.
    #[error("{dir}: no complete snapshot (it has no snapshot.json); build it again")]
    Incomplete {
        /// The folder.
        dir: PathBuf,
    },
    /// The snapshot was made by another version of this program.
    #[error("{path}: snapshot format {found}, this program reads {known}; build the snapshot again")]
    Format {
        /// The manifest.
        path: PathBuf,
        /// The format in the file.
        found: u32,
        /// The format that this program reads.
        known: u32,
    },
    /// A file of the snapshot is damaged.
    #[error("{path}: damaged: {what}; build the snapshot again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Arrow refused to write a file.
    #[error("{path}: writing it failed: {source}")]
    Arrow {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: arrow_schema::ArrowError,
    },
}

impl SnapshotError {
    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }

    /// For `map_err`: an input or output error of `path`.
    pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::damaged(path, "it ends too early"),
            _ => Self::Io { path: path.into(), source },
        }
    }

    /// For `map_err`: an error of Arrow while writing `path`.
    pub(super) fn arrow(path: &Path) -> impl Fn(arrow_schema::ArrowError) -> Self {
        move |source| match source {
            arrow_schema::ArrowError::IoError(_, source) => Self::Io { path: path.into(), source },
            source => Self::Arrow { path: path.into(), source },
        }
    }
}
