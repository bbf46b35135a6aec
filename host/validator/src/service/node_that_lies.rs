//! A chain, and a node that says what a schedule has it say, on simulated time.

use async_trait::async_trait;
use mantis_config::Block;
use mantis_network::chain::{Chain, ChainError, Finality, Head, Hyperparameters, Neuron, Receipt};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

pub(super) const START: u64 = 1_780_000_000;
pub(super) const FIRST: i64 = 7_000_000;
pub(super) const OWN: &str = "hk1";

/// Numbers from a seed (splitmix64).
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// What a node says that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// The newest block is so far ahead, or behind.
    Off(i64),
    /// The newest block is this one.
    Is(i64),
    /// Every other time it is this one.
    Flickers(i64),
    /// It stays the one that it was, with its time, or with that of now.
    Stalls,
    StallsYoung,
    /// It comes half as fast.
    Slow,
    /// Its time is off.
    Time(i64),
    /// What is final is on another fork, ahead of the newest, or long ago.
    Fork,
    Final(i64),
    /// Nobody is registered, a UID or a hotkey is there twice, or others are.
    Empty,
    UidTwice,
    HotkeyTwice,
    Foreign,
    /// Half an answer: these fail.
    NoHead,
    NoFinality,
    NoMetagraph,
    NoCommitments,
    /// There is no such subnet.
    NoSubnet,
}

impl Lie {
    pub(super) fn any(seeded: &mut Seeded) -> Self {
        let far = seeded.below(1_000_000).cast_signed();
        let all = [
            Self::Off(30 + far),
            Self::Off(30 + far % 100),
            Self::Off(3600),
            Self::Off(-(30 + far)),
            Self::Off(-(30 + far % 100)),
            Self::Is(1_000_000_000),
            Self::Is(i64::MAX),
            Self::Is(0),
            Self::Is(-far - 1),
            Self::Flickers(1_000_000_000),
            Self::Flickers(FIRST + 10_000 + far),
            Self::Flickers(1),
            Self::Stalls,
            Self::StallsYoung,
            Self::Slow,
            Self::Time(3600 + far),
            Self::Time(-(3600 + far)),
            Self::Fork,
            Self::Final(20),
            Self::Final(-1000),
            Self::Empty,
            Self::UidTwice,
            Self::HotkeyTwice,
            Self::Foreign,
            Self::NoHead,
            Self::NoFinality,
            Self::NoMetagraph,
            Self::NoCommitments,
        ];
        seeded.one_of(&all)
    }

    /// Whether it is about who is registered.
    pub(super) fn is_of_neurons(self) -> bool {
        matches!(self, Self::Empty | Self::UidTwice | Self::HotkeyTwice | Self::Foreign)
    }
}

/// The chain as it is, and what is said of it.
pub(super) struct World {
    pub(super) now: u64,
    /// The newest block.
    pub(super) truth: Head,
    pub(super) lie: Option<Lie>,
    /// When the lie began, and what was the newest block then.
    pub(super) since: (u64, Head),
    /// How often the node was asked for its newest block.
    asked: u64,
    /// Weights that were set, and by which hotkeys' UIDs.
    pub(super) set: Vec<Vec<(u16, u16)>>,
}

pub(super) struct NodeThatLies(Mutex<World>);

impl NodeThatLies {
    pub(super) fn new() -> Self {
        let truth = Head { block: Block(FIRST), unix: START };
        let world = World { now: START, truth, lie: None, since: (START, truth), asked: 0, set: Vec::new() };
        Self(Mutex::new(world))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    /// Goes on to a time; slots are missed now and then.
    pub(super) fn go_on(&mut self, seconds: u64, seeded: &mut Seeded) {
        for _ in 0..seconds {
            self.now += 1;
            if self.now % 12 == START % 12 && seeded.below(100) > 0 {
                self.truth = Head { block: self.truth.block + 1, unix: self.now };
            }
        }
    }

    pub(super) fn lies(&mut self, lie: Option<Lie>) {
        (self.lie, self.since) = (lie, (self.now, self.truth));
    }

    /// Whether what it says of its newest block at this time cannot be believed.
    pub(super) fn is_wrong(&self) -> bool {
        match self.lie {
            // One that stays behind looks like a chain that stood still, once it comes to what was known.
            Some(Lie::Off(by)) if by < 0 => self.truth.block + by < self.since.1.block - 25,
            Some(Lie::Off(_) | Lie::Is(_) | Lie::Time(_) | Lie::NoHead) => true,
            Some(Lie::Flickers(_)) => self.asked.is_multiple_of(2),
            Some(Lie::Stalls | Lie::StallsYoung) => self.now - self.since.0 > 120,
            Some(Lie::Final(_)) => self.truth.block > self.since.1.block,
            _ => false,
        }
    }

    fn head(&self) -> Option<Head> {
        let Head { block, unix } = self.truth;
        let (began, then) = self.since;
        Some(match self.lie {
            Some(Lie::NoHead) => return None,
            Some(Lie::Off(by)) => Head { block: block + by, unix },
            Some(Lie::Is(block)) => Head { block: Block(block), unix },
            Some(Lie::Flickers(block)) if self.asked.is_multiple_of(2) => Head { block: Block(block), unix },
            Some(Lie::Stalls) => then,
            Some(Lie::StallsYoung) => Head { unix: self.now, ..then },
            Some(Lie::Slow) => {
                Head { block: then.block + ((self.now - began) / 24).cast_signed(), unix: self.now }
            }
            Some(Lie::Time(by)) => Head { block, unix: unix.saturating_add_signed(by) },
            _ => self.truth,
        })
    }
}

fn unreachable(doing: &'static str) -> ChainError {
    ChainError::Unreachable { endpoint: "ws://node".into(), doing, reason: "half an answer".into() }
}

pub(super) fn neurons(prefix: &str) -> Vec<Neuron> {
    let neuron = |uid: u16| Neuron {
        uid,
        hotkey: format!("{prefix}{uid}"),
        coldkey: format!("ck{uid}"),
        validator_permit: uid == 1,
        last_update: Block(0),
    };
    (0..4).map(neuron).collect()
}

#[async_trait]
impl Chain for NodeThatLies {
    fn has_own_time(&self) -> bool {
        false
    }

    async fn head(&self) -> Result<Head, ChainError> {
        let mut world = self.world();
        world.asked += 1;
        world.head().ok_or_else(|| unreachable("reading the block"))
    }

    async fn genesis(&self) -> Result<Option<String>, ChainError> {
        Ok(Some("0x01".into()))
    }

    async fn finality(&self, known: Option<Block>) -> Result<Option<Finality>, ChainError> {
        let world = self.world();
        let head = world.head().unwrap_or(world.truth);
        let fork = if world.lie == Some(Lie::Fork) { "0xf" } else { "0x" };
        let hash = |block: Block| format!("{fork}{block}");
        let block = match world.lie {
            Some(Lie::NoFinality) => return Err(unreachable("reading the final block")),
            Some(Lie::Final(by)) => head.block + by,
            _ => head.block - 3,
        };
        Ok(Some(Finality { block, hash: hash(block), known: known.map(|known| (known, hash(known))) }))
    }

    async fn metagraph(&self) -> Result<Vec<Neuron>, ChainError> {
        let mut all = neurons("hk");
        match self.world().lie {
            Some(Lie::NoMetagraph) => return Err(unreachable("reading the metagraph")),
            Some(Lie::NoSubnet) => return Err(ChainError::Missing { what: "subnet 123".into() }),
            Some(Lie::Empty) => all.clear(),
            Some(Lie::UidTwice) => all[3].uid = 2,
            Some(Lie::HotkeyTwice) => all[3].hotkey = all[2].hotkey.clone(),
            Some(Lie::Foreign) => all = neurons("strange"),
            _ => {}
        }
        Ok(all)
    }

    async fn commitments(&self, _at: Option<Block>) -> Result<BTreeMap<String, String>, ChainError> {
        match self.world().lie {
            Some(Lie::NoCommitments) => Err(unreachable("reading the commitments")),
            _ => Ok(BTreeMap::new()),
        }
    }

    async fn hyperparameters(&self) -> Result<Hyperparameters, ChainError> {
        Ok(Hyperparameters {
            version_key: 0,
            weights_rate_limit: 0,
            commit_reveal: false,
            commit_reveal_version: None,
            reveal_period: 1,
            tempo: 360,
            min_stake: 0,
            min_weights: 0,
            max_weight: u16::MAX,
            one_decides: false,
        })
    }

    async fn weights_of(&self, _uid: u16) -> Result<Vec<(u16, u16)>, ChainError> {
        Ok(Vec::new())
    }

    async fn commit(&self, _text: &str) -> Result<(), ChainError> {
        Err(unreachable("committing"))
    }

    async fn set_weights(&self, weights: &[(u16, u16)]) -> Result<Receipt, ChainError> {
        let mut world = self.world();
        world.set.push(weights.to_vec());
        Ok(Receipt { transaction: "0x00".into(), block: world.truth.block, revealed: true })
    }
}
