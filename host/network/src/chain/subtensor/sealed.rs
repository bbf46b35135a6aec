//! Weights that are committed now and shown later: commit-reveal version 4.

use mantis_payload::beacon::Scheme;
use mantis_payload::timelock;
use subxt::ext::codec::Encode;

/// The version of commit-reveal that is written here.
pub(super) const VERSION: u16 = 4;
/// Bytes that the chain takes.
const LONGEST: usize = 5000;
/// Blocks between the reveal and the beacon's round: the chain must have taken in the round by then.
const SLACK: u64 = 3;
/// The longest tempo that a subnet's owner can set; after more blocks without a step, an epoch runs in any case.
const LONGEST_TEMPO: u64 = 50_400;

/// Sealed weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// What the chain keeps until it can open it.
    pub sealed: Vec<u8>,
    /// The beacon's round whose signature opens it.
    pub round: u64,
}

impl Commit {
    /// Seals weights, pairs of UID and weight, until `round` of the beacon: the SCALE encoding of hotkey, UIDs, weights
    /// and version key.
    ///
    /// `None` where they are too many for the chain, or sealing fails.
    pub fn seal(
        hotkey: &[u8; 32],
        weights: &[(u16, u16)],
        version_key: u64,
        round: u64,
        beacon: &Scheme,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Option<Self> {
        let (uids, values): (Vec<u16>, Vec<u16>) = weights.iter().copied().unzip();
        let plain = (hotkey.to_vec(), uids, values, version_key).encode();
        let sealed = timelock::seal_bytes(&plain, round, beacon, rng)?;
        (sealed.len() <= LONGEST).then_some(Self { sealed, round })
    }
}

/// When a subnet's epochs run: the chain's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The newest block.
    pub block: u64,
    /// Blocks of an epoch; 0: none ever runs.
    pub tempo: u64,
    /// Epochs from a commit to its reveal.
    pub reveal_period: u64,
    /// How the chain finds the blocks.
    pub clock: Clock,
}

/// How a chain finds the blocks in which epochs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// From what happened: newer runtimes.
    State {
        /// The block of the last epoch.
        last_epoch: u64,
        /// A block in which the owner wants one; 0: none.
        pending: u64,
        /// Blocks since the last step.
        since_step: u64,
    },
    /// From the block's number: older runtimes.
    Number {
        /// The subnet.
        netuid: u16,
    },
}

impl Schedule {
    /// The first block in which a commit sent now is revealed, if it comes into the next block; `None` where no epoch
    /// runs.
    ///
    /// The chain reveals before it runs the block's epoch, and counts a commit to the epoch after it.
    #[must_use]
    pub fn reveal_block(&self) -> Option<u64> {
        if self.tempo == 0 {
            return None;
        }
        let included = self.block.saturating_add(1);
        let (first, step) = match self.clock {
            Clock::State { last_epoch, pending, since_step } => {
                let mut due = last_epoch.saturating_add(self.tempo);
                if pending > 0 {
                    due = due.min(pending);
                }
                let forced = (LONGEST_TEMPO + 1).saturating_sub(since_step).saturating_add(self.block);
                if forced < due && forced > self.block {
                    return Some(self.after_forced(forced));
                }
                (due.min(forced).max(included), self.tempo)
            }
            Clock::Number { netuid } => {
                let step = self.tempo + 1;
                let after = included.saturating_add(u64::from(netuid) + 1) % step;
                (included.saturating_add((step - after) % step), step)
            }
        };
        // An epoch in the commit's own block comes before the commit.
        let epochs =
            if first == included { self.reveal_period } else { self.reveal_period.saturating_sub(1) };
        Some(first.saturating_add(epochs.saturating_mul(step)))
    }

    /// The same where the next epoch is one that runs since none ran for too long: it comes at the end of its block, after commits and
    /// reveals, so that what it makes due is revealed in the next one.
    fn after_forced(&self, block: u64) -> u64 {
        match self.reveal_period {
            0 | 1 => block.saturating_add(1),
            period => block.saturating_add((period - 1).saturating_mul(self.tempo)),
        }
    }

    /// The beacon's round to which a commit sent now is sealed. The newest block's time is `unix` seconds, and a block
    /// takes `block_ms` milliseconds.
    ///
    /// Counted from the chain's time instead of ours, whose clock may be wrong.
    #[must_use]
    pub fn reveal_round(&self, unix: u64, block_ms: u64, beacon: &Scheme) -> Option<u64> {
        let blocks = self.reveal_block()?.saturating_add(SLACK).saturating_sub(self.block);
        let at = unix.saturating_add(blocks.saturating_mul(block_ms) / 1000);
        Some(beacon.round_at(at).max(1))
    }
}
