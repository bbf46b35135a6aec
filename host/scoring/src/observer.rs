//! Who hears of a run.

use mantis_plugin_api::History;
use mantis_weights::Scored;

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
    /// A challenge is done, scored or not.
    fn finished(&self, scored: &Scored);
}

/// An [`Observer`] that does not care.
pub struct Quiet;

impl Observer for Quiet {
    fn reading(&self, _done: f64) {}
    fn progress(&self, _ticker: &str, _done: f64) {}
    fn log(&self, _ticker: &str, _line: &str) {}
    fn finished(&self, _scored: &Scored) {}
}
