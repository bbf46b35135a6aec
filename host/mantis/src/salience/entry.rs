//! What is to be scored as one more column: a file, and among whom.

use super::SalienceError;
use mantis_config::Config;
use mantis_scoring::worker::Launcher;
use mantis_weights::BURN;
use std::collections::BTreeSet;
use std::path::Path;

/// A file of embeddings, and among whom they are to be.
pub struct Entry<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The ledger's file.
    pub ledger: &'a Path,
    /// Parquet, CSV, or submissions as JSON lines: its name says which.
    pub file: &'a Path,
    /// What the column is called.
    pub name: &'a str,
    /// Whether it takes the place of the ledger's hotkey of that name.
    pub in_place: bool,
    /// Ticker or name of the challenge of a file that names none; of one that does, the only one that is taken.
    pub challenge: Option<&'a str>,
    /// The tickers that are taken; `None`: all that the file has.
    pub only: Option<&'a BTreeSet<String>>,
    /// Hotkeys that are registered; `None`: all.
    pub active: Option<&'a BTreeSet<String>>,
    /// Starts the plugins that judge each vector.
    pub launcher: &'a Launcher,
}

/// Letters of a column's name, at most.
const LONGEST_NAME: usize = 64;

/// Refuses what cannot be the name of a column.
///
/// # Errors
/// [`SalienceError::Name`].
pub fn check_name(name: &str) -> Result<(), SalienceError> {
    let refuse = |reason: &str| {
        let name = name.chars().take(LONGEST_NAME).collect::<String>().escape_debug().to_string();
        Err(SalienceError::Name { name, reason: reason.into() })
    };
    match () {
        () if name.is_empty() => refuse("it is empty; give one with --as"),
        () if name.chars().count() > LONGEST_NAME => {
            refuse("it has more than 64 letters; give a shorter one with --as")
        }
        () if name.chars().any(|c| c.is_control() || c.is_whitespace()) => {
            refuse("it has blanks or control characters; give another with --as")
        }
        () if name == BURN => refuse("so is called what nobody earns; give another with --as"),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_taken_for_something_else_are_refused() {
        check_name("(yours)").unwrap();
        check_name("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX").unwrap();
        let long = "x".repeat(65);
        for (name, says) in
            [("", "empty"), (BURN, "nobody earns"), ("a b", "blanks"), ("a\u{1b}", "control"), (&long, "64")]
        {
            let error = check_name(name).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains('\u{1b}'), "{error}");
        }
    }
}
