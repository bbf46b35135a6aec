//! How far a replay is, on standard error.

use crate::cli::output::{Bars, complain};
use mantis_config::Block;
use mantis_ledger::JobTotals;
use mantis_scoring::Observer;
use mantis_validator::replay::ReplayObserver;
use mantis_weights::Scored;
use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time from one line to the next, where there is no terminal.
const SILENCE: Duration = Duration::from_secs(10);
/// The name of the bar of the whole.
const ALL: &str = "replay";

/// Bars on a terminal; a line now and then elsewhere.
pub(in crate::cli) struct Progress {
    bars: Bars,
    /// When a line was said last; `None` on a terminal.
    said: Option<Mutex<Instant>>,
    /// What the batch engine's jobs came to, if it was given any.
    jobs: Mutex<Option<String>>,
}

impl Progress {
    pub(in crate::cli) fn new() -> Self {
        let said = (!stderr().is_terminal()).then(|| Mutex::new(Instant::now()));
        Self { bars: Bars::new(), said, jobs: Mutex::default() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bars.clear(ALL);
        if let Some(line) = self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner) {
            complain(line);
        }
    }
}

impl Observer for Progress {
    fn reading(&self, done: f64) {
        self.bars.reading(done);
    }

    fn progress(&self, ticker: &str, done: f64) {
        self.bars.progress(ticker, done);
    }

    fn log(&self, ticker: &str, line: &str) {
        self.bars.log(ticker, line);
    }

    fn finished(&self, scored: &Scored) {
        self.bars.finished(scored);
    }
}

impl ReplayObserver for Progress {
    fn jobs(&self, totals: &JobTotals) {
        let JobTotals { waiting, running, done, failed, seconds, nodes } = *totals;
        let line = format!(
            "jobs: {done} done, {running} at the batch engine, {waiting} wait, {failed} failed; workers took {seconds:.0} s; machines: \
             {nodes}"
        );
        *self.jobs.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.clone());
        if let Some(said) = &self.said {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.elapsed() >= SILENCE {
                *said = Instant::now();
                complain(&line);
            }
        }
    }

    fn computing(&self, candidate: &str, block: Block, done: f64) {
        self.bars.progress(ALL, done);
        if let Some(said) = &self.said {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.elapsed() >= SILENCE {
                *said = Instant::now();
                complain(&format!("replay: {:.0}%, {candidate} at block {block}", 100.0 * done));
            }
        }
    }
}
