//! What a replay asks of a batch engine, block by block, written down in a journal.

use super::observer::ReplayObserver;
use crate::clock::unix_seconds;
use mantis_config::Block;
use mantis_ledger::{JobJournal, LedgerError};
use mantis_scoring::{AheadObserver, Attempt, AttemptState, Observer, ScoringSet, score_ahead};
use mantis_weights::Scored;
use std::path::Path;

/// Name of the journal in the folder of what is kept.
pub(super) const JOURNAL: &str = "jobs.db";

/// The jobs of a replay.
pub(super) struct Ahead<'a> {
    journal: Option<JobJournal>,
    observer: &'a dyn ReplayObserver,
}

impl<'a> Ahead<'a> {
    /// With a journal in this folder. One that cannot be written is done without, and that is said.
    pub(super) fn new(folder: &Path, observer: &'a dyn ReplayObserver) -> Self {
        let journal = JobJournal::open(&folder.join(JOURNAL));
        let journal = journal.inspect_err(|error| observer.log("jobs", &error.to_string())).ok();
        Self { journal, observer }
    }

    /// Has the engine score what all candidates ask for at a block.
    pub(super) fn score(&self, block: Block, sets: &[ScoringSet]) -> Result<(), LedgerError> {
        score_ahead(sets, &AtBlock { ahead: self, block })
    }
}

struct AtBlock<'a> {
    ahead: &'a Ahead<'a>,
    block: Block,
}

impl AtBlock<'_> {
    fn note(&self, note: impl FnOnce(&JobJournal) -> Result<(), LedgerError>) {
        let Some(journal) = &self.ahead.journal else { return };
        if let Err(error) = note(journal) {
            self.ahead.observer.log("jobs", &error.to_string());
        }
        if let Ok(totals) = journal.totals() {
            self.ahead.observer.jobs(&totals);
        }
    }
}

impl AheadObserver for AtBlock<'_> {
    fn jobs(&self, jobs: &[(String, String)]) {
        self.note(|journal| journal.plan(self.block.0, jobs));
    }

    fn job(&self, name: &str, attempt: &Attempt) {
        let now = unix_seconds();
        self.note(|journal| match &attempt.state {
            AttemptState::Queued => journal.queued(name, attempt.attempt),
            AttemptState::Running { node } => journal.running(name, node.as_deref(), now),
            AttemptState::Done => journal.ended(name, "done", None, now),
            AttemptState::Failed { why } => journal.ended(name, "failed", Some(why), now),
            AttemptState::Fallback => journal.ended(name, "here", None, now),
        });
    }
}

impl Observer for AtBlock<'_> {
    fn reading(&self, done: f64) {
        self.ahead.observer.reading(done);
    }

    fn progress(&self, _ticker: &str, _done: f64) {}

    fn log(&self, ticker: &str, line: &str) {
        self.ahead.observer.log(ticker, line);
    }

    fn finished(&self, _scored: &Scored) {}
}
