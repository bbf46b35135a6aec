//! Why nothing was exported.

use crate::LedgerError;
use std::path::PathBuf;
use thiserror::Error;

/// Why nothing, or not all, was exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A table that was named is not in the ledger.
    #[error("{ledger}: it has no `{table}`: {why}; leave it out of --table")]
    Lacks {
        /// The ledger.
        ledger: PathBuf,
        /// The table.
        table: &'static str,
        /// Why it failed.
        why: &'static str,
    },
    /// A file is there already.
    #[error("{path}: the file is there already; name another place, or replace it with --force")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Several tables, and one file.
    #[error(
        "{path}: this is one file, and there are {tables} tables; name a folder, or one table with --table"
    )]
    OneFile {
        /// The file.
        path: PathBuf,
        /// How many tables.
        tables: usize,
    },
    /// A ticker that the ledger does not have.
    #[error("{ledger}: it has no ticker {ticker}; it has {known}")]
    NoTicker {
        /// The ledger.
        ledger: PathBuf,
        /// The ticker.
        ticker: String,
        /// Those that it has.
        known: String,
    },
    /// A file cannot be written.
    #[error("{path}: {source}; is there room, and may this user write there?")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The library of the format refuses what it was given.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        reason: String,
    },
}
