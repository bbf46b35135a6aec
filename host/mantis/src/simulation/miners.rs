//! Who takes part in the simulation.

use super::hotkey::ss58;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::fmt;

/// How a miner behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MinerKind {
    /// Knows something of the future in two of three challenges; more with a greater skill.
    Skilled {
        /// Strength of what it knows beside its noise.
        skill: f64,
    },
    /// Knows nothing.
    Noise,
    /// Sends what another miner sends.
    Clone {
        /// Index of the other.
        of: usize,
    },
    /// Sends what another miner sends, with a little noise.
    NearClone {
        /// Index of the other.
        of: usize,
    },
    /// Serves another miner's file under its own name.
    Copier {
        /// Index of the other.
        of: usize,
    },
    /// Skilled, but joined after two fifths of the time.
    Late,
    /// Skilled, but stopped half way.
    Stopper,
    /// Skilled, but missing in a third of the rows.
    Gappy,
    /// Sends the same numbers for ever.
    Constant,
    /// Sends zeros, which are not stored.
    Zeros,
    /// Sealed once, and serves that file for ever.
    Stale,
    /// Serves what is refused, in one of six ways by turns.
    Malformed(Malformed),
}

/// What is wrong with a malformed miner's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The file ends in the middle, or is a web page.
    TruncatedOrPage,
    /// It is of version 1, or sealed for another subnet's owner.
    VersionOrOwner,
    /// Its content was changed after sealing, or what it holds are no numbers.
    ChangedOrText,
}

/// One simulated miner.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedMiner {
    /// Its hotkey.
    pub hotkey: String,
    /// Its behaviour.
    pub kind: MinerKind,
    /// For people: `skilled 0.24`, `clone of 5F3sa..`.
    pub about: String,
}

/// So many miners with their behaviours; 24 have every kind.
#[must_use]
pub fn cast(miners: usize, seed: u64) -> Vec<SimulatedMiner> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x6d69_6e65_7273);
    let mut cast: Vec<SimulatedMiner> = Vec::with_capacity(miners);
    for i in 0..miners {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        let kind = kind(i);
        let about = match kind {
            MinerKind::Clone { of } | MinerKind::NearClone { of } | MinerKind::Copier { of } => {
                let source = cast.get(of).map_or("", |miner| &miner.hotkey[..6]);
                format!("{kind} of {source}..")
            }
            _ => kind.to_string(),
        };
        cast.push(SimulatedMiner { hotkey: ss58(key), kind, about });
    }
    cast
}

/// A pattern of 24: most are skilled, some weakly.
fn kind(i: usize) -> MinerKind {
    let round = i - i % 24;
    match i % 24 {
        3 | 9 | 15 => MinerKind::Noise,
        5 | 6 => MinerKind::Clone { of: round + 1 },
        10 => MinerKind::NearClone { of: round + 2 },
        12 => MinerKind::Copier { of: round },
        14 => MinerKind::Late,
        16 => MinerKind::Stopper,
        18 => MinerKind::Gappy,
        17 => MinerKind::Malformed(Malformed::TruncatedOrPage),
        19 => MinerKind::Malformed(Malformed::VersionOrOwner),
        20 => MinerKind::Constant,
        21 => MinerKind::Zeros,
        22 => MinerKind::Malformed(Malformed::ChangedOrText),
        23 => MinerKind::Stale,
        place => MinerKind::Skilled { skill: 0.36 - 0.24 * place as f64 / 24.0 },
    }
}

impl fmt::Display for MinerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skilled { skill } => write!(f, "skilled {skill:.2}"),
            Self::Noise => f.write_str("noise"),
            Self::Clone { .. } => f.write_str("clone"),
            Self::NearClone { .. } => f.write_str("near clone"),
            Self::Copier { .. } => f.write_str("copier"),
            Self::Late => f.write_str("skilled, joined late"),
            Self::Stopper => f.write_str("skilled, stopped half way"),
            Self::Gappy => f.write_str("skilled, often missing"),
            Self::Constant => f.write_str("constant"),
            Self::Zeros => f.write_str("all zero"),
            Self::Stale => f.write_str("stale: one file for ever"),
            Self::Malformed(Malformed::TruncatedOrPage) => f.write_str("malformed: half a file, web page"),
            Self::Malformed(Malformed::VersionOrOwner) => f.write_str("malformed: version 1, other owner"),
            Self::Malformed(Malformed::ChangedOrText) => f.write_str("malformed: changed, words for numbers"),
        }
    }
}
