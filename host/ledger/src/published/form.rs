//! The form of a part: what is in it, in which order, and within which bounds.

use mantis_config::{Block, Sidx};
use std::ops::RangeInclusive;

/// What a part begins with.
pub(super) const MAGIC: &[u8] = b"mantis-ledger-part 1\n";
/// What follows: the end, a challenge's ticker, a row of the challenge that was named last.
pub(super) const END: u8 = 0;
pub(super) const CHALLENGE: u8 = 1;
pub(super) const ROW: u8 = 2;
/// What a row has.
pub(super) const HAS_PRICE: u8 = 1;
pub(super) const HAS_PRICES: u8 = 2;

/// Bytes of a ticker, of a row's prices or hotkeys, and of its vectors.
pub(super) const LONGEST_TICKER: usize = 128;
pub(super) const LONGEST_TEXT: usize = 4 << 20;
pub(super) const LONGEST_BLOB: usize = 64 << 20;
/// A price is not larger, of either sign.
pub(super) const LARGEST_PRICE: f64 = 1e300;

/// A part's number: the blocks from 7,200 times it on, a day at 12 s a block.
///
/// A ledger has blocks and no times, and the chain's days begin at no round block: a fixed number of blocks is cut at the
/// same places by everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// Blocks of a part.
    pub const BLOCKS: u32 = 7200;

    /// The part that a block is in.
    #[must_use]
    pub fn of(block: Block) -> Self {
        Self(block.0.div_euclid(i64::from(Self::BLOCKS)))
    }

    /// Its first block.
    #[must_use]
    pub fn first(self) -> Block {
        Block(self.0.saturating_mul(i64::from(Self::BLOCKS)))
    }

    /// Its last block.
    #[must_use]
    pub fn last(self) -> Block {
        self.first() + (i64::from(Self::BLOCKS) - 1)
    }

    /// Its rows.
    #[must_use]
    pub fn rows(self, sample_every: u32) -> RangeInclusive<Sidx> {
        // The first one whose block is not before the day.
        let first = (self.first() - 1).sidx(sample_every) + 1;
        first..=self.last().sidx(sample_every)
    }

    /// Whether a block is one of its, and one that is sampled.
    #[must_use]
    pub fn has(self, block: Block, sample_every: u32) -> bool {
        Self::of(block) == self && block.0 % i64::from(sample_every.max(1)) == 0
    }
}

/// Of what a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartHead {
    /// The subnet.
    pub netuid: u16,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Which part.
    pub day: Day,
}

/// What is in a part, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartContents {
    /// The first block of which there is something.
    pub first: Option<Block>,
    /// The last one.
    pub last: Option<Block>,
    /// Sampled blocks.
    pub blocks: u64,
    /// Rows, over all challenges.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of these bytes.
    pub sha256: [u8; 32],
}

impl PartContents {
    /// Counts a block or a row in.
    pub(super) fn reach(&mut self, block: Block) {
        self.first = Some(self.first.map_or(block, |first| first.min(block)));
        self.last = Some(self.last.map_or(block, |last| last.max(block)));
    }
}

/// A row of a challenge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PartRow<'a> {
    pub(crate) ticker: &'a str,
    pub(crate) sidx: Sidx,
    pub(crate) price: Option<f64>,
    /// JSON, asset to number.
    pub(crate) price_data: Option<&'a str>,
    /// The vectors, as the ledger stores them.
    pub(crate) blob: &'a [u8],
}

/// What a reader of a part meets, in this order: all blocks, then all rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PartItem<'a> {
    Block(Block),
    Row(PartRow<'a>),
}

/// A price as a part has it: what SQLite does not tell apart is one, and what no price can be is none.
pub(super) fn canonical(price: Option<f64>) -> Option<f64> {
    price.filter(|price| price.abs() <= LARGEST_PRICE).map(|price| price + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_cut_at_the_same_blocks_whatever_is_sampled() {
        assert_eq!((Day::of(Block(7199)), Day::of(Block(7200))), (Day(0), Day(1)));
        assert_eq!((Day(1).first(), Day(1).last()), (Block(7200), Block(14_399)));
        assert_eq!(Day(1).rows(5), Sidx(1440)..=Sidx(2879));
        // A row on either side of the cut, where blocks between two rows do not divide a day.
        assert_eq!((Day(0).rows(7), Day(1).rows(7)), (Sidx(0)..=Sidx(1028), Sidx(1029)..=Sidx(2057)));
        assert!(Day(1).has(Block(7203), 7) && !Day(1).has(Block(7196), 7) && !Day(1).has(Block(7204), 7));
        // A day behind the last number there is has none.
        assert!(Day(i64::MAX).rows(5).is_empty());
    }

    #[test]
    fn a_price_is_one_thing() {
        assert_eq!(canonical(Some(-0.0)).map(f64::to_bits), Some(0));
        assert_eq!(canonical(Some(f64::NAN)), None);
        assert_eq!(canonical(Some(f64::INFINITY)), None);
        assert_eq!(canonical(Some(-1.5)), Some(-1.5));
    }
}
