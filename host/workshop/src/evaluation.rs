//! What came of measuring a strategy: the document of `--json`.

use crate::child::Sandbox;
use crate::metrics::{Measures, Metric};
use crate::stored::Taken;
use mantis_plugin_api::Reading;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The document's form; it grows where a reader of an older one would go wrong.
pub const FORMAT: u32 = 1;

/// A strategy's measures on one challenge of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// [`FORMAT`].
    pub format: u32,
    /// The challenge's name.
    pub challenge: String,
    /// Its ticker.
    pub ticker: String,
    /// The strategy.
    pub strategy: Strategy,
    /// Which rows were gone through.
    pub stretch: Stretch,
    /// What labels are; `None` where the challenge's plugin does not say.
    pub labels: Option<Reading>,
    /// Rows from a row to what its label looks at.
    pub horizon_rows: usize,
    /// What became of the answers.
    pub answers: Taken,
    /// All rows that count.
    pub headline: Option<Measures>,
    /// The last days of them alone; `None` where there are no rows before.
    pub holdout: Option<Measures>,
    /// Runs of days, in order.
    pub windows: Vec<Window>,
    /// What was done so that no answer knew what came after.
    pub causality: Causality,
    /// Where the answers were written.
    pub embeddings: Option<PathBuf>,
    /// How long it took.
    pub seconds: Seconds,
    /// What the strategy wrote for people.
    pub log: Vec<String>,
}

/// A strategy, by what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Strategy {
    /// Its file.
    pub file: PathBuf,
    /// The file's sha256, in lower-case hexadecimal.
    pub sha256: String,
    /// The sha256 of each file that it was shown, its own among them: weights, too, may know the days that are measured.
    pub files: BTreeMap<PathBuf, String>,
    /// Rows that it is given before its first answer.
    pub warmup: u64,
    /// Rows from one answer to the next.
    pub interval: u64,
    /// Where its tools found it, in their words.
    pub found: Option<String>,
    /// The seed that it was given.
    pub seed: u64,
}

/// Which rows were gone through.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// The ledger.
    pub ledger: PathBuf,
    /// Block of the first row that counts.
    pub from_block: i64,
    /// Block of the last.
    pub to_block: i64,
    /// Rows from the first to the last.
    pub rows: usize,
    /// Rows before, which the strategy was told and not asked about.
    pub warmup_rows: usize,
}

/// A run of days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// Block of its first row.
    pub from_block: i64,
    /// Block of its last.
    pub to_block: i64,
    /// Whether it lies in the holdout.
    pub in_holdout: bool,
    /// Rows with a label and an answer.
    pub rows: usize,
    /// The same times labelled subjects.
    pub n: usize,
    /// The measure that says it in short.
    pub metric: Metric,
    /// Its value.
    pub value: Option<f64>,
    /// AUC.
    pub auc: Option<f64>,
    /// Mean of -ln of the probability of what came true.
    pub log_loss: Option<f64>,
    /// Mean rank correlation.
    pub spearman: Option<f64>,
}

/// What was done so that no answer knew what came after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Causality {
    /// What kept the strategy from what comes: `process`, since each row was told after the answer before, to a process that
    /// reaches nothing else; or `none`.
    pub enforced: &'static str,
    /// Where it ran.
    pub sandbox: Sandbox,
    /// Rows that were drawn when all answers were there, and answered once more by a fresh process that was told no more.
    pub replayed_rows: usize,
    /// Of those, rows with another answer, in any bit.
    pub differing: usize,
    /// The same strategy, told each price a row later.
    pub lag_test: Option<LagTest>,
    /// Labels of the plugin that were asked for once more, of a market that ends in the middle.
    pub checked_labels: usize,
    /// Of those, labels that are others, or were not there though they were said to be known.
    pub differing_labels: usize,
}

/// The same strategy, told each price a row later.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LagTest {
    /// The measure that says it in short.
    pub value: Option<f64>,
    /// How much less it is.
    pub drop: Option<f64>,
    /// `passed`, or `rests_on_newest_row`: more than half of what it is above chance is gone, and more than chance explains.
    pub verdict: &'static str,
}

/// How long it took, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Rows and labels out of the ledger.
    pub ledger: f64,
    /// The strategy's way through them.
    pub walk: f64,
    /// The tests of it.
    pub tests: f64,
    /// Judging and measuring.
    pub measures: f64,
}

impl Causality {
    /// Whether the result counts: nothing was found, and the strategy could not see ahead.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.sandbox != Sandbox::None && self.differing == 0 && self.differing_labels == 0
    }
}
