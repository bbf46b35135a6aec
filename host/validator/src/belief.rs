//! Whether what a node says of the chain's newest block is believed.
//!
//! A node can be wrong, and a head decides what is sampled, forgotten and set. So one is believed only within what was
//! known before it: how much time has gone by since an earlier head, the machine's clock, the newest block that is held,
//! and what is final. Nothing here reads a clock, a file or a network.

use mantis_config::{Block, Clock};
use mantis_network::chain::{BLOCK_SECONDS, Finality, Head};
use thiserror::Error;

/// Blocks by which a head may lie behind what was seen: a fork that was given up, another node behind the same address.
const BACK: i64 = 20;
/// Blocks by which a head may lie ahead of what time allows: slots begin between two looks.
const AHEAD: i64 = 2;
/// Blocks by which a head may be ahead of the newest block that is final.
const NOT_FINAL: i64 = 300;
/// Seconds by which a block's own time may be ahead of this machine's clock, and behind it.
const FUTURE: u64 = 60;
const STALE: u64 = 90;
/// Further blocks, in step with the clock, after which a head is believed that nothing vouches for.
const FIRST: u32 = 2;
/// The same for one that contradicts what was final.
const FORKED: u32 = 5;
/// Earlier heads that bound the next ones: the best of each of these spans, s, for an hour.
const SPAN: u64 = 300;
const SPANS: u64 = 12;
/// Age at which the head that a ledger remembers gives way to a newer one, s: slots that are missed add up.
const LONG_AGO: u64 = 7 * 86_400;

/// A block, and a time at which it was the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The block.
    pub block: Block,
    /// Unix time, s.
    pub unix: u64,
}

/// What is made of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken.
    Believed,
    /// It may be right; so many further blocks will tell.
    Waiting(u32),
    /// It cannot be right.
    Disbelieved(HeadRejection),
}

/// Why a head is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeadRejection {
    /// There can be no such block.
    #[error("it says that its newest block is {block}, and no chain of blocks every 12 s can have that one")]
    Impossible {
        /// The block.
        block: Block,
    },
    /// The head came faster than blocks can.
    #[error(
        "it says that its newest block is {block}, and by the clock it can be {most} at most; if the node is right, \
         another one was not: set the ledger back with `mantis rewind`, or use another node"
    )]
    TooFar {
        /// The block.
        block: Block,
        /// The newest that time allows.
        most: Block,
    },
    /// The head is older than what is held.
    #[error(
        "its newest block is {block}, behind {known}, which is known here already: it is another network's node, or one \
         that lags; use another node, or, if block {known} was never true, set the ledger back with `mantis rewind`"
    )]
    Behind {
        /// The block.
        block: Block,
        /// The newest that is known.
        known: Block,
    },
    /// The newest block is an old one.
    #[error(
        "its newest block {block} is {seconds} s old: the node, or the chain, stands still, or this machine's clock is \
         wrong"
    )]
    Stale {
        /// The block.
        block: Block,
        /// Its age.
        seconds: u64,
    },
    /// The newest block is of a time to come.
    #[error(
        "its newest block {block} is of a time {seconds} s ahead of this machine's clock: is that right?"
    )]
    Future {
        /// The block.
        block: Block,
        /// How far ahead.
        seconds: u64,
    },
    /// What is final and what is newest do not go together.
    #[error(
        "its newest block is {block} and its newest final one {last}: that cannot be, or finality stands still"
    )]
    NotFinal {
        /// The newest block.
        block: Block,
        /// The newest final one.
        last: Block,
    },
    /// Another block than before is final.
    #[error("block {block} was final with another hash before: the node is on another fork, or was then")]
    Forked {
        /// The block.
        block: Block,
    },
}

impl HeadRejection {
    /// Whether it will not pass by itself, so that somebody has to look.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Forked { .. })
    }
}

/// What is known of the chain, and judges what comes.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    /// The newest block that was believed, and when it was seen first.
    newest: Option<Seen>,
    /// The newest block that the ledger holds.
    held: Option<Block>,
    /// A head of long ago that was believed: the ledger remembers it.
    anchor: Option<Seen>,
    /// The earliest heads, by their numbers, of the last hour's spans, with their spans.
    recent: Vec<(u64, Seen)>,
    /// The newest block that was final, and its hash.
    last: Option<(Block, String)>,
    waiting: Option<Candidate>,
    /// Whether blocks may come at any pace: those of a test chain.
    any_pace: bool,
}

/// A head that is not sure.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    newest: Seen,
    left: u32,
    /// Whether it contradicts what was final: then no head before it vouches for it.
    forked: bool,
}

impl Belief {
    /// Begins with what a ledger remembers: a head that was believed, and the newest block that it holds.
    #[must_use]
    pub fn new(anchor: Option<Seen>, held: Option<Block>) -> Self {
        Self { anchor, held, ..Self::default() }
    }

    /// The same for a test chain, whose blocks may come faster than time allows.
    #[must_use]
    pub fn with_any_pace(self, any_pace: bool) -> Self {
        Self { any_pace, ..self }
    }

    /// The head of long ago that is to be remembered.
    #[must_use]
    pub fn anchor(&self) -> Option<Seen> {
        self.anchor
    }

    /// The newest final block: what its hash is now tells a fork.
    #[must_use]
    pub fn last_final(&self) -> Option<Block> {
        self.last.as_ref().map(|(block, _)| *block)
    }

    /// The ledger holds this block.
    pub fn holds(&mut self, block: Block) {
        self.held = self.held.max(Some(block));
    }

    /// Judges a head at a time. A chain whose time is its own is measured by that. `finality` is what is final, where the
    /// chain knows such a thing and it was asked.
    pub fn judge(&mut self, clock: Clock, now: u64, head: Head, finality: Option<&Finality>) -> Verdict {
        let now = if clock == Clock::Chain { head.unix } else { now };
        if let Err(rejection) = self.check(now, head, finality) {
            self.waiting = None;
            return Verdict::Disbelieved(rejection);
        }
        if let Some(finality) = finality
            && let Some(rejection) = self.contradicted(finality)
        {
            // Who was right is not known: the new one counts, once it has gone on for a while.
            self.waiting = Some(Candidate { newest: seen(now, head), left: FORKED, forked: true });
            return Verdict::Disbelieved(rejection);
        }
        if clock == Clock::Machine {
            let left = self.left(now, head);
            if left > 0 {
                return Verdict::Waiting(left);
            }
        }
        self.believe(now, head);
        if let Some(Finality { block, hash, .. }) = finality
            && self.last.as_ref().is_none_or(|(last, _)| last < block)
        {
            self.last = Some((*block, hash.clone()));
        }
        Verdict::Believed
    }

    /// What can be said without having heard the node before.
    fn check(&self, now: u64, head: Head, finality: Option<&Finality>) -> Result<(), HeadRejection> {
        let Head { block, unix } = head;
        if block < Block(0) || block.0.cast_unsigned() > now / BLOCK_SECONDS {
            return Err(HeadRejection::Impossible { block });
        }
        if let Some(known) = self.newest.map(|newest| newest.block).max(self.held)
            && block < known - BACK
        {
            return Err(HeadRejection::Behind { block, known });
        }
        if let Some(most) = self.most(now).filter(|_| !self.any_pace)
            && block > most
        {
            return Err(HeadRejection::TooFar { block, most });
        }
        if unix > now + FUTURE {
            return Err(HeadRejection::Future { block, seconds: unix - now });
        }
        if now.saturating_sub(unix) > STALE {
            return Err(HeadRejection::Stale { block, seconds: now - unix });
        }
        if let Some(newest) = self.newest
            && block <= newest.block
            && now.saturating_sub(newest.unix) > STALE
        {
            return Err(HeadRejection::Stale { block, seconds: now - newest.unix });
        }
        match finality {
            Some(Finality { block: last, .. }) if *last > block + AHEAD || block - *last > NOT_FINAL => {
                Err(HeadRejection::NotFinal { block, last: *last })
            }
            _ => Ok(()),
        }
    }

    /// The newest block that there can be by now, since an earlier one was the newest then.
    fn most(&self, now: u64) -> Option<Block> {
        let recent = self.recent.iter().map(|(_, seen)| seen);
        recent
            .chain(&self.anchor)
            .map(|seen| seen.block + blocks(now.saturating_sub(seen.unix)) + AHEAD)
            .max()
    }

    /// Whether another block is final than was; if so, it counts from now on.
    fn contradicted(&mut self, finality: &Finality) -> Option<HeadRejection> {
        let Finality { block, hash, known } = finality;
        let (last, before) = self.last.as_ref()?;
        let is_other = |at: &Block, found: &String| at == last && found != before;
        let known = known.as_ref().is_some_and(|(at, found)| is_other(at, found));
        if !known && !is_other(block, hash) && *block >= *last - BACK {
            return None;
        }
        let rejection = HeadRejection::Forked { block: *last };
        self.last = Some((*block, hash.clone()));
        Some(rejection)
    }

    /// How many more blocks it takes until this head is believed.
    fn left(&mut self, now: u64, head: Head) -> u32 {
        let in_step =
            |newest: Seen| head.block <= newest.block + blocks(now.saturating_sub(newest.unix)) + AHEAD;
        let forked = self.waiting.is_some_and(|waiting| waiting.forked);
        let vouched = match self.newest {
            Some(newest) => in_step(newest),
            // It goes on from what the ledger remembers, as time allows: `check` has seen to that.
            None => self.anchor.is_some(),
        };
        if vouched && !forked {
            self.waiting = None;
            return 0;
        }
        let candidate = match self.waiting {
            Some(Candidate { newest, left, .. }) if in_step(newest) && head.block > newest.block => {
                Candidate { newest: seen(now, head), left: left - 1, forked }
            }
            Some(waiting) if in_step(waiting.newest) && head.block >= waiting.newest.block - AHEAD => waiting,
            _ => {
                let left = self.waiting.map_or(FIRST, |waiting| waiting.left.max(FIRST));
                Candidate { newest: seen(now, head), left, forked }
            }
        };
        self.waiting = (candidate.left > 0).then_some(candidate);
        candidate.left
    }

    fn believe(&mut self, now: u64, head: Head) {
        if self.newest.is_none_or(|newest| newest.block < head.block) {
            self.newest = Some(seen(now, head));
        }
        // Slots are missed and never won: no head allows for more than those before it did.
        let known = self.recent.iter().map(|(_, seen)| seen).chain(&self.anchor);
        let least = known.map(|seen| offset(*seen)).min().unwrap_or(i128::MIN);
        let unix = i128::from(head.unix.min(now)).max(least.saturating_add(time(head.block)));
        let this = Seen { block: head.block, unix: u64::try_from(unix).unwrap_or(now) };
        let span = now / SPAN;
        match self.recent.last_mut() {
            Some((at, best)) if *at == span => {
                if offset(this) < offset(*best) {
                    *best = this;
                }
            }
            _ => self.recent.push((span, this)),
        }
        self.recent.retain(|(at, _)| at + SPANS >= span && *at <= span);
        match self.anchor {
            None => self.anchor = Some(this),
            Some(anchor) if now.saturating_sub(anchor.unix) > LONG_AGO => {
                // Not one of a chain that went slower than ours does: it may have been a node's lie.
                let best = self.recent.iter().map(|(_, seen)| *seen).min_by_key(|seen| offset(*seen));
                let is_usual = |best: &Seen| {
                    10 * (best.block - anchor.block) >= 9 * blocks(best.unix.saturating_sub(anchor.unix))
                };
                self.anchor = best.filter(is_usual).or(self.anchor);
            }
            Some(_) => {}
        }
    }
}

fn seen(now: u64, head: Head) -> Seen {
    Seen { block: head.block, unix: now }
}

/// How many blocks there can be in so many seconds.
fn blocks(seconds: u64) -> i64 {
    (seconds / BLOCK_SECONDS).cast_signed()
}

/// What tells, of two heads, which allows for higher ones: the one with less.
fn offset(seen: Seen) -> i128 {
    i128::from(seen.unix) - time(seen.block)
}

/// The time that a chain takes for so many blocks at least, s.
fn time(block: Block) -> i128 {
    i128::from(BLOCK_SECONDS) * i128::from(block.0)
}
