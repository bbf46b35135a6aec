//! The greeting, and the answer to it.

use mantis_plugin_api::Reading;
use serde::{Deserialize, Serialize};

/// The protocol's version, which grows when a child that was written for it could not go on.
pub const PROTOCOL: u32 = 1;
/// Rows that a strategy may ask for before its first answer.
const MOST_WARMUP: u64 = 10_000_000;
/// Rows that one answer may stand for.
const MOST_INTERVAL: u64 = 1_000_000;

/// What a strategy is told before the first row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The challenge's name.
    pub challenge: String,
    /// Its ticker.
    pub ticker: String,
    /// Assets of each row, in the order of its prices.
    pub assets: Vec<String>,
    /// What comes after the prices of a row, in order.
    pub fields: Vec<String>,
    /// Numbers per subject.
    pub dim: usize,
    /// Subjects that an answer and a label are about, in order: the challenge's assets.
    pub subjects: Vec<String>,
    /// Numbers of an answer: `dim` for each subject, subject by subject.
    pub numbers: usize,
    /// Rows from a row to what its label looks at; 0 where that is not fixed.
    pub horizon_rows: usize,
    /// Seconds from one row to the next, where none is missing.
    pub row_seconds: f64,
    /// What labels are; `None` where there are none.
    pub labels: Option<Reading>,
    /// The seed of whatever the strategy draws.
    pub seed: u64,
}

/// What a strategy answers to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// Rows that it is given before the first that it answers.
    pub warmup: u64,
    /// It answers every so many rows; its last answer stands in between.
    pub interval: u64,
    /// Where the strategy was found, for its own tools.
    #[serde(default)]
    pub found: Option<String>,
}

impl Ready {
    /// What of it is not allowed, if so.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { warmup, interval, found } = self;
        if *warmup > MOST_WARMUP {
            return Some(format!("a warmup of {warmup} rows, above {MOST_WARMUP}"));
        }
        if !(1..=MOST_INTERVAL).contains(interval) {
            return Some(format!("an interval of {interval} rows, outside 1 to {MOST_INTERVAL}"));
        }
        found.as_ref().filter(|found| found.len() > 100).map(|_| "a `found` of more than 100 bytes".into())
    }
}
