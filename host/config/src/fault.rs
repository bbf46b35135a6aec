//! What is wrong with a file, and where.

use serde::Serialize;
use std::{collections::BTreeMap, fmt};
use thiserror::Error;

/// Something in the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
pub struct Fault {
    /// The file as it was named.
    pub file: String,
    /// Line from 1; 0 if the fault is the file as a whole.
    pub line: usize,
    /// Column from 1, in characters; 0 with line 0.
    pub column: usize,
    /// The table as people see it: `[[challenge]] "ETH-1H-BINARY"`; empty at the top of the file.
    pub table: String,
    /// The key within its table: `dim`, `params.top_k`; empty if the fault has none.
    pub key: String,
    /// The key from the top of the file: `challenge[3].dim`.
    pub path: String,
    /// What was found, as a phrase: `0 is not allowed`.
    pub found: String,
    /// What would be accepted, as a phrase; may be empty.
    pub allowed: String,
    /// The known word that was probably meant.
    pub meant: Option<String>,
}

/// Every fault of a file, in the order of its lines; at least one.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(transparent)]
pub struct ConfigError {
    /// The faults.
    pub faults: Vec<Fault>,
}

/// Line and column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Where the keys of one challenge are written: by key path within the challenge, the header under the empty path.
pub(crate) type KeyPositions = BTreeMap<String, Position>;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        if !self.table.is_empty() {
            write!(f, " {}:", self.table)?;
        }
        if !self.key.is_empty() {
            write!(f, " key `{}`:", self.key)?;
        }
        write!(f, " {}", self.found)?;
        if !self.allowed.is_empty() {
            write!(f, "; allowed: {}", self.allowed)?;
        }
        match &self.meant {
            Some(word) => write!(f, " (did you mean `{word}`?)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}
