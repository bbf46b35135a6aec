//! Weights as the limits of a subnet want them, in the order of the chain's own client (bittensor 11.3): the largest is
//! clipped, then all are scaled to 16 bits, then those that are left are counted.

use super::to_u16;
use std::collections::BTreeMap;

/// What a subnet demands of the weights that one validator sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightLimits {
    /// The validator's own UID: a weight for it alone has no limits.
    pub own: Option<u16>,
    /// The fewest UIDs that have a weight.
    pub fewest: u16,
    /// The largest part of all that one UID may have, in 65,535ths; 65,535: any.
    pub largest: u16,
}

impl Default for WeightLimits {
    /// None.
    fn default() -> Self {
        Self { own: None, fewest: 0, largest: u16::MAX }
    }
}

/// Weights as the chain takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limited {
    /// UID and weight, by UID; the largest is 65,535.
    pub weights: Vec<(u16, u16)>,
    /// Whether the largest were clipped, and what they lost went to the others.
    pub clipped: bool,
}

/// Why weights do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "WeightVecLengthIsLow: the subnet demands weights of at least {fewest} UIDs (MinAllowedWeights), and {found} have one: \
     nothing is set until more miners earn something, or the subnet's owner demands less"
)]
pub struct TooFewWeights {
    /// How many UIDs must have a weight.
    pub fewest: u16,
    /// How many have one.
    pub found: usize,
}

/// Weights of UIDs within the limits of a subnet. Those that are not positive count for nothing.
///
/// # Errors
/// If fewer have a weight than must; none at all is no error.
pub fn within(weights: &BTreeMap<u16, f64>, limits: &WeightLimits) -> Result<Limited, TooFewWeights> {
    let mut weights: BTreeMap<u16, f64> =
        weights.iter().filter(|(_, weight)| **weight > 0.0).map(|(uid, weight)| (*uid, *weight)).collect();
    let for_itself = weights.len() == 1 && weights.first_key_value().map(|(uid, _)| *uid) == limits.own;
    let clipped = !for_itself && limits.largest < u16::MAX && clip(&mut weights, limits.largest);
    let weights = to_u16(&weights);
    if !weights.is_empty() && !for_itself && weights.len() < usize::from(limits.fewest) {
        return Err(TooFewWeights { fewest: limits.fewest, found: weights.len() });
    }
    Ok(Limited { weights, clipped })
}

/// Makes no weight more than `largest` 65,535ths of all: what is above a cutoff is cut, where the cutoff is such that the
/// largest then are exactly that part. Where so few cannot have so little, all get the same. Whether anything was cut.
///
/// All are positive.
fn clip(weights: &mut BTreeMap<u16, f64>, largest: u16) -> bool {
    /// Keeps the largest a hair below its limit.
    const MARGIN: f64 = 1e-7;
    let limit = f64::from(largest) / f64::from(u16::MAX);
    let count = weights.len() as f64;
    if count * limit <= 1.0 {
        let is_uneven = weights.values().any(|weight| Some(weight) != weights.values().next());
        weights.values_mut().for_each(|weight| *weight = 1.0 / count);
        return is_uneven;
    }
    let sum: f64 = weights.values().sum();
    let mut parts: Vec<f64> = weights.values().map(|weight| weight / sum).collect();
    parts.sort_by(f64::total_cmp);
    if parts.last().is_none_or(|most| *most <= limit) {
        return false;
    }
    // A part is below the cutoff if it would be within the limit were all above it cut to it.
    let (mut below, mut sum_below, mut so_far) = (0.0, 0.0, 0.0);
    for (place, part) in parts.iter().enumerate() {
        so_far += part;
        let above = count - place as f64 - 1.0;
        if part / (above * part + so_far + MARGIN) < limit {
            (below, sum_below) = (below + 1.0, so_far);
        }
    }
    let cutoff = (limit * sum_below - MARGIN) / (1.0 - limit * (count - below)) * sum;
    // Where the margin is more than all that is below the limit, the cutoff is negative, and all come to the same.
    let cut: f64 = weights.values().map(|weight| weight.min(cutoff)).sum();
    weights.values_mut().for_each(|weight| *weight = weight.min(cutoff) / cut);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FREE: WeightLimits = WeightLimits { own: None, fewest: 0, largest: u16::MAX };

    fn of(weights: &[f64]) -> BTreeMap<u16, f64> {
        (0..).zip(weights.iter().copied()).collect()
    }

    fn part(weights: &[(u16, u16)]) -> f64 {
        let sum: f64 = weights.iter().map(|(_, weight)| f64::from(*weight)).sum();
        weights.iter().map(|(_, weight)| f64::from(*weight) / sum).fold(0.0, f64::max)
    }

    #[test]
    fn without_limits_nothing_changes() {
        let weights = of(&[0.5, 0.0, 0.25]);
        assert_eq!(within(&weights, &FREE).unwrap(), Limited { weights: to_u16(&weights), clipped: false });
        assert_eq!(within(&of(&[0.0]), &WeightLimits { fewest: 3, ..FREE }).unwrap(), Limited::default());
    }

    #[test]
    fn the_largest_is_cut_and_the_others_keep_their_proportions() {
        let limits = WeightLimits { largest: u16::MAX / 2, ..FREE };
        let Limited { weights, clipped } = within(&of(&[0.8, 0.15, 0.05]), &limits).unwrap();
        assert!(clipped && part(&weights) <= 0.5);
        assert_eq!(weights[0], (0, 65_535));
        assert!((f64::from(weights[1].1) / f64::from(weights[2].1) - 3.0).abs() < 1e-3, "{weights:?}");
        assert!(!within(&of(&[0.4, 0.35, 0.25]), &limits).unwrap().clipped);
        // So little is left for the others that the margin takes it: as the chain's client has it.
        let weights = within(&of(&[1.0, 1e-9, 1e-12]), &limits).unwrap().weights;
        assert_eq!(weights, [(0, 65_535), (1, 65_535), (2, 65_535)]);
        // Two cannot have less than a half each.
        let Limited { weights, clipped } = within(&of(&[0.8, 0.2]), &limits).unwrap();
        assert_eq!((weights, clipped), (vec![(0, 65_535), (1, 65_535)], true));
    }

    #[test]
    fn a_weight_for_oneself_alone_has_no_limits() {
        let strict = WeightLimits { own: Some(0), fewest: 2, largest: 100 };
        assert_eq!(within(&of(&[1.0]), &strict).unwrap().weights, [(0, 65_535)]);
        let other = WeightLimits { own: Some(1), ..strict };
        assert_eq!(within(&of(&[1.0]), &other), Err(TooFewWeights { fewest: 2, found: 1 }));
    }

    proptest! {
        #[test]
        fn no_part_is_above_the_limit(weights in prop::collection::vec(0.0..1.0_f64, 1..256), largest in 1..u16::MAX) {
            let limits = WeightLimits { largest, ..FREE };
            let found = within(&of(&weights), &limits).unwrap().weights;
            // So few that they cannot have less have the same.
            let least = 1.0 / found.len().max(1) as f64;
            let limit = (f64::from(largest) / f64::from(u16::MAX)).max(least);
            prop_assert!(part(&found) <= limit * (1.0 + 1e-4), "{} {limit}", part(&found));
        }
    }
}
