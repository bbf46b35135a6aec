//! `[network]`.

use crate::kinds::{AboveTo, Hex, ListOf, Optional, SS58, Words, bytes_of};
use crate::section::{Section, section};

section! {
    /// Constants of the subnet.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Network {
        /// The subnet's number.
        netuid: u16 = 123, in 0..=u16::MAX;

        /// The version that our weights carry; the chain refuses them below the subnet's own.
        version_key: u64 = 0, in 0..=u64::from(u32::MAX);

        /// The mechanism of the subnet that weights are set for; 0 is the one that every subnet has.
        mechanism: u16 = 0, in 0..=15;

        /// Blocks between two rows.
        sample_every: u32 = 5, in 1..=7200;

        /// Rows between a sample and its opening.
        lag: u32 = 60, in 0..=1_000_000;

        /// Blocks between a sample and its opening, where that is not `lag` rows. Miners seal for a time by which the block
        /// is opened.
        maturity_blocks: Option<u32> = None, in Optional(0..=10_000_000_u32);

        /// Blocks after that for which a payload waits for a round that is not out, or that the beacon does not give; at
        /// least `wait` of `[beacon]`.
        retain_blocks: u32 = 0, in 0..=10_000_000;

        /// How far ahead of the time at which it is sent a miner should seal, s; what a validator suggests, not a rule.
        suggested_lock: u32 = 3600, in 30..=31_536_000;

        /// Blocks that scoring stays behind the newest one.
        task_interval: u32 = 500, in 0..=10_000_000;

        /// Blocks between two computations of weights.
        weight_calc_interval: u32 = 1000, in 1..=10_000_000;

        /// Blocks between two submissions of weights.
        weight_set_interval: u32 = 360, in 1..=10_000_000;

        /// Share of the weights that goes to `burn_uid`.
        burn: f64 = 0.30, in 0.0..=1.0;

        /// The UID that is given the burn.
        burn_uid: u16 = 0, in 0..=u16::MAX;

        /// Days of history that a validator keeps, and five more; a plugin scores the newest `max_rows` of them.
        max_days: u32 = 60, in 1..=3650;

        /// Share of the new weights in the smoothed ones.
        ema: f64 = 0.15, in AboveTo(0.0, 1.0);

        /// Seed of all random draws.
        // Plugins add small numbers to it: the range leaves them room.
        seed: u64 = 42, in 0..=u64::from(u32::MAX);

        /// X25519 public key of the subnet's owner.
        owner_key: [u8; 32] = bytes_of(OWNER_KEY), in Hex;

        /// Blocks after its first prediction for which a hotkey is young.
        young_blocks: u32 = 36_000, in 0..=100_000_000;

        /// Weight of a young hotkey.
        young_weight: f64 = 0.0001, in 0.0..=1.0;

        /// Hotkeys (SS58) that are retired: what they would weigh goes to `burn_uid`, from the next computation on.
        retired: Vec<String> = Vec::new(), in ListOf(SS58);

        /// Sampled blocks that a ledger must hold before weights are computed.
        min_sampled: u32 = 121, in 1..=10_000_000;

        /// Computations for which the last good saliences of a challenge that fails stand in for it; after them weights
        /// stay as they are. 0: the other challenges share what it counts for, as on the network.
        hold: u32 = 8, in 0..=10_000;

        /// By whose time blocks are judged: `"machine"`, this machine's clock; `"chain"`, the chain's own, for a test chain
        /// whose blocks come faster than every 12 s.
        clock: Clock = Clock::Machine, in CLOCK;
    }
}

/// By whose time blocks are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// This machine's clock.
    #[default]
    Machine,
    /// The chain's own time.
    Chain,
}

const CLOCK: Words<Clock> = Words(&[("machine", Clock::Machine), ("chain", Clock::Chain)]);

const OWNER_KEY: &str = "fbfe185ded7a4e6865effceb23cbac32894170587674e751ac237a06f72b3067";

impl Network {
    /// Blocks between a sample and its opening.
    #[must_use]
    pub fn maturity(&self) -> i64 {
        let lag = i64::from(self.lag) * i64::from(self.sample_every);
        self.maturity_blocks.map_or(lag, i64::from)
    }

    /// Whether a hotkey is retired. That of the burn's UID never is: the burn has to go somewhere.
    #[must_use]
    pub fn is_retired(&self, uid: u16, hotkey: &str) -> bool {
        uid != self.burn_uid && self.retired.iter().any(|retired| retired == hotkey)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::absent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_key_is_read() {
        assert_eq!(Network::default().owner_key[..2], [0xfb, 0xfe]);
    }
}
