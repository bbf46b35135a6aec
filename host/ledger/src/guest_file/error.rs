//! What is wrong with a table of embeddings.

use std::path::PathBuf;
use thiserror::Error;

/// Why a table of embeddings cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GuestFileError {
    /// Its name says no known form.
    #[error("{path}: what form is it? Its name must end in .parquet, .csv or .jsonl")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// The system does not give it.
    #[error("cannot read {path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// It is not of the form that its name says.
    #[error("{path}: not read as {form}: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Parquet or CSV.
        form: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The columns are not those of such a table.
    #[error("{path}: {reason}")]
    Columns {
        /// The file.
        path: PathBuf,
        /// Which, and what there may be.
        reason: String,
    },
    /// A line is not as it must be.
    #[error("{path}: row {row}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1; a header is not counted.
        row: u64,
        /// What is wrong with it.
        reason: String,
    },
}
