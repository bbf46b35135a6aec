//! What a challenge counts for.

use crate::kinds::{Between, Kind};
use crate::source::TomlTable;
use std::ops::RangeInclusive;

/// What a challenge counts for in the total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// `weight`: finite, not negative; relative to the other weights.
    Fixed(f64),
    /// `share`: this part of the sum of all weights, between 0 and 1, however the others change.
    Share(f64),
}

/// A number under `weight`, or one under `share`.
pub(super) struct WeightOrShare;

const WEIGHT: RangeInclusive<f64> = 0.0..=1e9;
const SHARE: Between = Between(0.0, 1.0);

impl Kind<Weight> for WeightOrShare {
    /// Always some: NaN stands for what was reported, so that nothing is said of sums that it is part of.
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Weight> {
        let weight = WEIGHT.read(table, key).map(Weight::Fixed);
        let share = SHARE.read(table, "share").map(Weight::Share);
        let both = table.has(key) && table.has("share");
        if both {
            table.fault("share", "stands beside `weight`", "`weight` or `share`, not both");
        }
        Some(weight.or(share).filter(|_| !both).unwrap_or(Weight::Fixed(f64::NAN)))
    }

    fn allowed(&self) -> String {
        format!("{}; or `share`: {}", WEIGHT.allowed(), SHARE.allowed())
    }

    fn shown(&self, value: &Weight) -> String {
        match value {
            Weight::Fixed(weight) => WEIGHT.shown(weight),
            Weight::Share(share) => format!("a share of {}", SHARE.shown(share)),
        }
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::Fixed(0.0)
    }
}
