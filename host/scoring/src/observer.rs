//! Who hears of a run.

use mantis_plugin_api::History;
use mantis_weights::Scored;
use std::fmt::{self, Display, Formatter};

/// Hears of a run; called from several threads.
pub trait Observer: Sync {
    /// The part of the ledger that has been read, 0 to 1, where much of it is.
    fn reading(&self, done: f64);
    /// What a challenge is about to be scored from.
    fn history(&self, _ticker: &str, _history: &dyn History) {}
    /// A challenge's finished part, 0 to 1.
    fn progress(&self, ticker: &str, done: f64);
    /// A line of a challenge's plugin, or about it.
    fn log(&self, ticker: &str, line: &str);
    /// What becomes of an attempt of a batch engine's.
    fn attempt(&self, attempt: &Attempt) {
        match &attempt.state {
            AttemptState::Failed { .. } | AttemptState::Fallback => {
                self.log(&attempt.ticker, &attempt.to_string());
            }
            AttemptState::Queued | AttemptState::Running { .. } | AttemptState::Done => {}
        }
    }
    /// A challenge is done, scored or not.
    fn finished(&self, scored: &Scored);
}

/// An attempt to have a batch engine run a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The challenge.
    pub ticker: String,
    /// The job, by a number of the run's own.
    pub job: u64,
    /// Which attempt it is, from 1 on.
    pub attempt: u32,
    /// How it stands.
    pub state: AttemptState,
}

/// How an attempt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// The engine was given it.
    Queued,
    /// Its worker has begun.
    Running {
        /// The machine, where that is known.
        node: Option<String>,
    },
    /// It gave what was asked for.
    Done,
    /// It gave nothing.
    Failed {
        /// Why.
        why: String,
    },
    /// No attempt did: this machine does it.
    Fallback,
}

impl Display for Attempt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { attempt, state, .. } = self;
        match state {
            AttemptState::Queued => write!(f, "attempt {attempt} waits for the batch engine"),
            AttemptState::Running { node: Some(node) } => write!(f, "attempt {attempt} runs on {node}"),
            AttemptState::Running { node: None } => write!(f, "attempt {attempt} runs"),
            AttemptState::Done => write!(f, "attempt {attempt} is done"),
            AttemptState::Failed { why } => write!(f, "attempt {attempt} of the batch engine failed: {why}"),
            AttemptState::Fallback => {
                f.write_str("the batch engine did not do it: it is scored on this machine")
            }
        }
    }
}

/// An [`Observer`] that does not care.
pub struct Quiet;

impl Observer for Quiet {
    fn reading(&self, _done: f64) {}
    fn progress(&self, _ticker: &str, _done: f64) {}
    fn log(&self, _ticker: &str, _line: &str) {}
    fn finished(&self, _scored: &Scored) {}
}
