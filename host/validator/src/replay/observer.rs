//! Who hears of a replay.

use mantis_config::Block;
use mantis_ledger::JobTotals;
use mantis_scoring::Observer;

/// Hears of a replay.
pub trait ReplayObserver: Observer {
    /// A candidate is computed at a block; `done` is the part of all that is done, 0 to 1.
    fn computing(&self, candidate: &str, block: Block, done: f64);
    /// What the batch engine's jobs come to by now, those of earlier runs among them.
    fn jobs(&self, _totals: &JobTotals) {}
}
