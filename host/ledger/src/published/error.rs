//! Why a part could not be made or taken.

use crate::LedgerError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Bytes that are no part of a ledger, or not the listed one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it, and the fields are named as there")]
pub enum PartRejection {
    #[error("it has {found} bytes, and {expected} are listed: it is another file than the listed one")]
    Size { found: u64, expected: u64 },

    #[error("it has the sha256 {found}, and {expected} is listed: it is another file than the listed one")]
    Digest { found: String, expected: String },

    #[error("unpacked it has more than the {limit} bytes that are listed")]
    TooLarge { limit: u64 },

    #[error(
        "what is in it has the sha256 {found}, and {expected} is listed: its publisher has to make it again"
    )]
    Content { found: String, expected: String },

    #[error("it is not packed as it should be: {reason}")]
    Packed { reason: String },

    #[error("it is no part of a ledger: {what}, near byte {at}; its publisher has to make it again")]
    Form { what: String, at: u64 },
}

/// Why a part could not be made, or not taken. A ledger into which one was to be merged is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It is not what is listed, or no part.
    #[error("{path}: {rejection}")]
    Rejected {
        /// The file.
        path: PathBuf,
        /// Why.
        rejection: PartRejection,
    },
    /// The file system.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: std::io::Error,
    },
}

impl PublishedError {
    pub(super) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::File { path: path.into(), source }
    }

    pub(super) fn rejected(path: &Path) -> impl Fn(PartRejection) -> Self {
        move |rejection| Self::Rejected { path: path.into(), rejection }
    }
}
