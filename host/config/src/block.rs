//! Blocks of the chain, and the indexes of those that are sampled.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// A block of the chain, by its number: 0 is its first. Numbers below 0 are no blocks; they come from subtracting.
///
/// Arithmetic ends at the least and the largest number instead of overflowing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Block(pub i64);

/// A sampled block, by its place among those that can be sampled: its number over `sample_every`, rounded down.
///
/// [`Block::sidx`] and [`Sidx::block`] are the way from one to the other. Arithmetic is that of [`Block`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sidx(pub i64);

impl Block {
    /// The index of this block, or of the last one before it that is sampled, if one of `sample_every` blocks is.
    #[must_use]
    pub fn sidx(self, sample_every: u32) -> Sidx {
        Sidx(self.0.div_euclid(divisor(sample_every)))
    }

    /// The first multiple of `interval` after this block.
    #[must_use]
    pub fn next_multiple(self, interval: u32) -> Self {
        self.floor_to(interval) + divisor(interval)
    }
}

impl Sidx {
    /// The block with this index, if one of `sample_every` blocks is sampled.
    #[must_use]
    pub fn block(self, sample_every: u32) -> Block {
        Block(self.0.saturating_mul(divisor(sample_every)))
    }
}

/// The configuration has no interval of 0; here it is one of 1.
fn divisor(interval: u32) -> i64 {
    i64::from(interval.max(1))
}

/// What blocks and indexes have in common.
macro_rules! number {
    ($name:ident) => {
        impl $name {
            /// Nothing is before it.
            pub const MIN: Self = Self(i64::MIN);
            /// Nothing is after it.
            pub const MAX: Self = Self(i64::MAX);

            /// The last multiple of `interval` up to this one.
            #[must_use]
            pub fn floor_to(self, interval: u32) -> Self {
                self - self.0.rem_euclid(divisor(interval))
            }
        }

        impl Add<i64> for $name {
            type Output = Self;

            fn add(self, later: i64) -> Self {
                Self(self.0.saturating_add(later))
            }
        }

        impl Sub<i64> for $name {
            type Output = Self;

            fn sub(self, earlier: i64) -> Self {
                Self(self.0.saturating_sub(earlier))
            }
        }

        /// How many lie between.
        impl Sub for $name {
            type Output = i64;

            fn sub(self, other: Self) -> i64 {
                self.0.saturating_sub(other.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(Block);
number!(Sidx);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_index_is_the_block_over_the_interval_rounded_down() {
        assert_eq!([0, 4, 5, 9, 10].map(|block| Block(block).sidx(5).0), [0, 0, 1, 1, 2]);
        assert_eq!([-1, -5, -6].map(|block| Block(block).sidx(5).0), [-1, -1, -2]);
        assert_eq!([-2, 0, 7].map(|sidx| Sidx(sidx).block(5).0), [-10, 0, 35]);
        assert_eq!((Block(7).sidx(0), Sidx(7).block(0)), (Sidx(7), Block(7)));
    }

    #[test]
    fn multiples_are_those_around_a_block() {
        assert_eq!([0, 4, 5, -1].map(|block| Block(block).floor_to(5).0), [0, 0, 5, -5]);
        assert_eq!([0, 4, 5, -1].map(|block| Block(block).next_multiple(5).0), [5, 5, 10, 0]);
        assert_eq!(Sidx(125).floor_to(60), Sidx(120));
    }

    #[test]
    fn numbers_end_where_they_would_overflow() {
        assert_eq!((Block::MAX.sidx(1), Block::MIN.sidx(1)), (Sidx::MAX, Sidx::MIN));
        assert_eq!((Sidx::MAX.block(5), Sidx::MIN.block(5)), (Block::MAX, Block::MIN));
        assert_eq!((Block::MAX + 1, Block::MIN - 1), (Block::MAX, Block::MIN));
        assert_eq!((Block::MIN.floor_to(7200), Block::MAX.next_multiple(7200)), (Block::MIN, Block::MAX));
        assert_eq!((Sidx::MAX - Sidx::MIN, Block::MIN - Block::MAX), (i64::MAX, i64::MIN));
    }

    #[test]
    fn they_are_written_as_bare_numbers() {
        assert_eq!(format!("{} {:>3}", Block(-7), Sidx(7)), "-7   7");
        assert_eq!(serde_json::to_string(&(Block(1), Sidx(2))).unwrap(), "[1,2]");
        assert_eq!(serde_json::from_str::<(Block, Sidx)>("[1,2]").unwrap(), (Block(1), Sidx(2)));
    }

    proptest! {
        #[test]
        fn an_index_names_the_last_multiple_up_to_the_block(block: i64, every in 1..=7200_u32) {
            // Outside of this range, a multiple is not a number of 64 bits.
            let block = Block(block / 2);
            prop_assert_eq!(block.sidx(every).block(every), block.floor_to(every));
            prop_assert!((0..i64::from(every)).contains(&(block - block.floor_to(every))));
        }
    }
}
