//! Why the store could not be opened, read or written.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the store could not be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none in the folder.
    #[error("{path}: no such store; give the folder that `mantis signal` writes")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The folder or the file cannot be read or made.
    #[error("{path}: {source}")]
    File {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("{path}: others can read the store; take the right from them: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{path}: this is no store of signals; give the folder that `mantis signal` writes")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer program has written the file.
    #[error("{path}: written by a newer program (version {found}, this one knows {known}); use that one")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// SQLite fails.
    #[error("{path}: {doing}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What it says.
        source: rusqlite::Error,
    },
    /// What is in the file is not what is ever written there.
    #[error("{path}: damaged: {what}; `mantis signal verify` looks through all of it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is.
        what: String,
    },
    /// A forecast comes too late to prove anything.
    #[error(
        "{ticker} of block {block} is not published: at block {head} its outcome may be known ({within} blocks)"
    )]
    TooLate {
        /// The challenge.
        ticker: String,
        /// Its block.
        block: i64,
        /// The chain's newest.
        head: i64,
        /// Blocks until the outcome may be known.
        within: i64,
    },
    /// A forecast of that row is published.
    #[error("{ticker} has published a forecast of row {sidx} already; it stays as it is")]
    Twice {
        /// The challenge.
        ticker: String,
        /// The row.
        sidx: i64,
    },
    /// The clock is behind what is published.
    #[error("the clock is {behind_ms} ms behind the newest forecast of the store; set it right")]
    ClockBack {
        /// How far.
        behind_ms: i64,
    },
    /// What is to be kept contradicts itself or what is kept.
    #[error("{what}: {why}")]
    Refused {
        /// What is not kept.
        what: &'static str,
        /// Why not.
        why: String,
    },
}

impl StoreError {
    pub(super) fn refused(what: &'static str, why: impl Into<String>) -> Self {
        Self::Refused { what, why: why.into() }
    }

    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { path: PathBuf::new(), what: what.into() }
    }

    /// The same with the file, and what was being done.
    pub(super) fn at(self, file: &Path, now: &'static str) -> Self {
        match self {
            Self::Sqlite { source, .. } => Self::Sqlite { path: file.into(), doing: now, source },
            Self::Damaged { what, .. } => Self::Damaged { path: file.into(), what },
            other => other,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite { path: PathBuf::new(), doing: "", source }
    }
}
