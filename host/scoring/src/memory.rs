//! How much memory all processes of a scoring run held at once.

use crate::worker::peak_rss_kib;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Collects the workers' peaks. The sum over workers that ran at the same time, each counted with its own peak for
/// as long as it lived, plus the host's own peak: never less than what was really held.
#[derive(Debug, Default)]
pub(super) struct PeakMemory {
    workers: Mutex<Vec<(Instant, Instant, u64)>>,
}

impl PeakMemory {
    /// A worker lived from `start` until now and held `kib` at most.
    pub(super) fn worker(&self, start: Instant, kib: u64) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push((start, Instant::now(), kib));
    }

    /// The most that was held at once, in KiB.
    pub(super) fn total_kib(&self) -> u64 {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        // The sum only rises when a worker starts.
        let at = |now: Instant| -> u64 {
            workers.iter().filter(|(start, end, _)| *start <= now && now < *end).map(|(.., kib)| kib).sum()
        };
        peak_rss_kib() + workers.iter().map(|(start, ..)| at(*start)).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sums_what_ran_at_the_same_time() {
        let t = |s| Instant::now() + Duration::from_secs(s);
        let memory = PeakMemory::default();
        *memory.workers.lock().unwrap() = vec![(t(0), t(10), 1000), (t(5), t(15), 200), (t(12), t(20), 900)];
        let total = memory.total_kib();
        let own = peak_rss_kib();
        assert!(total <= own + 1200 && total > 1200, "{total} beside {own}");
    }
}
