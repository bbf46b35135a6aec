//! Memory for the files of one round.

use crate::http::MemoryBudget;
use std::sync::Mutex;
use std::sync::PoisonError;

/// The bytes that a round may hold.
///
/// Half of them are shared out evenly, so that a few miners with huge files cannot starve the many with small ones:
/// a file within its share always has its place. What a file needs beyond comes out of the other half.
pub(super) struct Budget {
    share: u64,
    common: Mutex<u64>,
}

impl Budget {
    /// A budget of `bytes` for so many files, none larger than `largest`.
    pub(super) fn new(bytes: u64, files: usize, largest: u64) -> Self {
        let files = files.max(1) as u64;
        let share = (bytes / 2 / files).min(largest);
        Self { share, common: Mutex::new(bytes - share * files) }
    }

    /// MemoryBudget for one file.
    pub(super) fn lease(&self) -> Lease<'_> {
        Lease { budget: self, held: 0, kept: false }
    }

    /// Takes from the common half, or gives back to it, what changes when a file goes from `before` to `after` bytes.
    fn resize(&self, before: u64, after: u64) -> bool {
        let beyond = |bytes: u64| bytes.saturating_sub(self.share);
        let (before, after) = (beyond(before), beyond(after));
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        match (*common + before).checked_sub(after) {
            Some(left) => *common = left,
            None => return false,
        }
        true
    }
}

/// What one file holds; free again when it is dropped, unless the file is kept.
pub(super) struct Lease<'b> {
    budget: &'b Budget,
    held: u64,
    kept: bool,
}

impl Lease<'_> {
    /// The file stays in memory for the rest of the round.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl MemoryBudget for Lease<'_> {
    fn reserve(&mut self, bytes: usize) -> bool {
        let after = self.held + bytes as u64;
        let granted = self.budget.resize(self.held, after);
        if granted {
            self.held = after;
        }
        granted
    }

    fn release(&mut self, bytes: usize) {
        let after = self.held.saturating_sub(bytes as u64);
        self.budget.resize(self.held, after);
        self.held = after;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.budget.resize(self.held, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn large_files_share_one_half_and_small_ones_keep_theirs() {
        let budget = Budget::new(1000, 5, 400);
        let mut large = budget.lease();
        assert!(large.reserve(600), "100 of its own, 500 in common");
        let mut second = budget.lease();
        assert!(second.reserve(100), "its own share");
        assert!(!second.reserve(1), "nothing in common is left");
        large.release(50);
        assert!(second.reserve(50));
        drop(large);
        assert!(second.reserve(300));
        second.keep();
        assert_eq!(*budget.common.lock().unwrap(), 500 - 350);
    }

    proptest! {
        /// However files grow and go, they never hold more than the budget together, and all of it comes back.
        #[test]
        fn the_budget_holds(
            bytes in 0..10_000_u64, largest in 1..5_000_u64,
            moves in prop::collection::vec((0..8_usize, any::<bool>(), 0..3_000_usize), 0..200),
        ) {
            let budget = Budget::new(bytes, 8, largest);
            let all = *budget.common.lock().unwrap();
            let mut leases: Vec<_> = (0..8).map(|_| budget.lease()).collect();
            for (at, grow, by) in moves {
                let held = leases[at].held;
                if grow {
                    let granted = leases[at].reserve(by);
                    prop_assert!(granted || held + by as u64 > budget.share);
                } else {
                    leases[at].release(by.min(usize::try_from(held).unwrap()));
                }
                prop_assert!(leases.iter().map(|lease| lease.held).sum::<u64>() <= bytes);
            }
            drop(leases);
            prop_assert_eq!(*budget.common.lock().unwrap(), all);
        }
    }
}
