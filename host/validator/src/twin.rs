//! Whether another host sets weights with our hotkey: two of them replace each other's weights, and void each other's commits.
//!
//! The chain has the block of a hotkey's last activity. One that this ledger's attempts do not account for is another host's.

use crate::schedule::MORTAL;
use mantis_config::{Block, Network};
use mantis_ledger::{Attempt, Sent};

/// Attempts among which that block is looked for: more than are made while another host's activity counts.
pub(super) const ATTEMPTS: u32 = 100;

/// When a validator sets weights though another host has set some with its hotkey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakeOver {
    /// When that host was silent for twice the interval between two settings.
    #[default]
    Silent,
    /// When it was silent for so many blocks.
    After(u32),
    /// At once.
    Now,
}

impl TakeOver {
    /// Blocks for which the other host's last activity counts.
    pub(super) fn silence(self, network: &Network) -> i64 {
        match self {
            Self::Silent => 2 * i64::from(network.weight_set_interval),
            Self::After(blocks) => i64::from(blocks),
            Self::Now => 0,
        }
    }
}

/// Whether an activity of our hotkey in block `updated` is none of these attempts.
pub(super) fn is_foreign(attempts: &[Attempt], updated: Block) -> bool {
    let may_be = |attempt: &Attempt| {
        let last = attempt.included.unwrap_or(attempt.block).max(attempt.block + MORTAL);
        !matches!(attempt.sent, Sent::Failed | Sent::DryRun) && (attempt.block..=last).contains(&updated)
    };
    !attempts.iter().any(may_be)
}

/// Why nothing is set.
pub(super) fn reason(updated: Block, silence: i64) -> String {
    format!(
        "another host seems to set weights with this hotkey: the chain has an activity of it in block {updated} that this ledger knows \
         nothing of; this one samples, opens and computes, and sets weights from block {} on, if there is none till then. If that \
         host is stopped, --take-over sets them at once",
        updated + silence
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(block: i64, sent: Sent, included: Option<i64>) -> Attempt {
        Attempt {
            computed: Block(0),
            block: Block(block),
            unix: 0,
            sent,
            transaction: None,
            included: included.map(Block),
            error: None,
            weights: Vec::new(),
        }
    }

    #[test]
    fn what_an_attempt_accounts_for_is_ours() {
        let ours = [
            attempt(1000, Sent::Failed, None),
            attempt(900, Sent::Unconfirmed, None),
            attempt(500, Sent::Committed, Some(503)),
            attempt(100, Sent::DryRun, None),
        ];
        for (updated, foreign) in [
            (503, false),
            (500, false),
            (900, false),
            (964, false),
            (965, true),
            (1001, true),
            (499, true),
            (101, true),
        ] {
            assert_eq!(is_foreign(&ours, Block(updated)), foreign, "{updated}");
        }
        assert!(is_foreign(&[], Block(1)));
    }
}
