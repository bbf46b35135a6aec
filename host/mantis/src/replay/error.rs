//! What is wrong with what a replay was given.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// What is wrong with what a replay was given.
#[derive(Debug, Error)]
pub enum ReplayInputError {
    /// The file of weightings cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of it is none.
    #[error("{path}, line {line}: {what}; allowed: {allowed}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// What would do.
        allowed: String,
    },
    /// It has none.
    #[error(
        "{path}: there is no weighting in it: a line of CSV under a header of tickers, or a JSON object, for each"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A group that names nobody.
    #[error(
        "--group {group}={member}: neither a hotkey (SS58) nor how the name of a simulated miner begins{known}"
    )]
    Member {
        /// The group.
        group: String,
        /// What was named.
        member: String,
        /// What would do, where that is known.
        known: String,
    },
    /// No group.
    #[error("{text}: a group is NAME=HOTKEY,HOTKEY,..: a name, and whose weights are summed under it")]
    Group {
        /// What was given.
        text: String,
    },
}
