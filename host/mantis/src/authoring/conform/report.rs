//! What the suite finds.

use serde::Serialize;
use std::path::PathBuf;

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not: no such plugin should be used.
    Fail,
    /// Worth knowing; a challenge may be meant so.
    Note,
    /// It could not be tried.
    Skip,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name.
    pub name: &'static str,
    /// What became of it.
    pub verdict: Verdict,
    /// What was found, as a sentence.
    pub says: String,
}

/// All checks of a plugin.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The plugin's file.
    pub path: PathBuf,
    /// What it runs in.
    pub form: &'static str,
    /// The plugin's name and version; empty where it does not load.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Scored rows of the simulated ledger.
    pub rows: usize,
    /// Miners in it.
    pub miners: usize,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Fail)
    }

    pub(super) fn add(&mut self, name: &'static str, verdict: Verdict, says: impl Into<String>) {
        self.checks.push(Check { name, verdict, says: says.into() });
    }

    /// A pass with the first sentence, or a failure with the error's.
    pub(super) fn record(&mut self, name: &'static str, outcome: Result<String, String>) {
        match outcome {
            Ok(says) => self.add(name, Verdict::Pass, says),
            Err(says) => self.add(name, Verdict::Fail, says),
        }
    }
}
