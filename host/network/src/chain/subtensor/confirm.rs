//! Reading back what was written.

use super::node::At;
use super::node_error::NodeError;
use super::values::{number, value};

/// How far two weights may lie apart, as shares of the largest: the chain rounds when it scales them.
const TOLERANCE: f64 = 1e-4;

/// The weights that the chain shows for a UID. `index` is where it keeps what belongs to the mechanism.
pub(super) async fn shown(at: &At, index: u16, uid: u16) -> Result<Vec<(u16, u16)>, NodeError> {
    value(at, "Weights", vec![number(index), number(uid)]).await
}

/// Whether two lists of weights have the same proportions; a weight of 0 counts as none.
pub(super) fn same(ours: &[(u16, u16)], theirs: &[(u16, u16)]) -> bool {
    let (ours, theirs) = (shares(ours), shares(theirs));
    let close = |(uid, share): (&u16, &f64), other: &Shares| {
        (other.get(uid).copied().unwrap_or(0.0) - share).abs() <= TOLERANCE
    };
    ours.iter().all(|pair| close(pair, &theirs)) && theirs.iter().all(|pair| close(pair, &ours))
}

type Shares = std::collections::BTreeMap<u16, f64>;

fn shares(weights: &[(u16, u16)]) -> Shares {
    let largest = weights.iter().map(|(_, weight)| *weight).max().unwrap_or(0).max(1);
    weights.iter().map(|(uid, weight)| (*uid, f64::from(*weight) / f64::from(largest))).collect()
}

/// Scales weights so that the largest is 65,535; all zero stays so.
pub(super) fn upscaled(weights: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let largest = u32::from(weights.iter().map(|(_, weight)| *weight).max().unwrap_or(0).max(1));
    let scale = |weight: u16| {
        let rounded = (u32::from(weight) * u32::from(u16::MAX) + largest / 2) / largest;
        u16::try_from(rounded).unwrap_or(u16::MAX)
    };
    weights.iter().map(|(uid, weight)| (*uid, scale(*weight))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_are_compared() {
        let ours = [(0, 65_535), (2, 6_553), (3, 0)];
        assert!(same(&ours, &[(0, 65_535), (2, 6_553)]));
        assert!(same(&ours, &[(0, 65_535), (2, 6_556)]));
        assert!(!same(&ours, &[(0, 65_535), (2, 6_600)]));
        assert!(!same(&ours, &[(0, 65_535), (2, 6_553), (5, 100)]));
        assert!(!same(&ours, &[]));
        assert!(same(&[], &[(1, 0)]));
    }

    #[test]
    fn the_largest_is_all_of_u16() {
        assert_eq!(upscaled(&[(0, 1), (1, 3)]), [(0, 21_845), (1, 65_535)]);
        assert_eq!(upscaled(&[(0, 65_535), (1, 7)]), [(0, 65_535), (1, 7)]);
        assert_eq!(upscaled(&[(4, 0)]), [(4, 0)]);
    }
}
