//! Bonds: a validator's stake in the miners that it has weighed, from epoch to epoch.

use super::input::{LiquidAlpha, YumaInput};
use super::row::{Row, at, scale_columns};
use std::collections::BTreeSet;

/// What bonds follow: weights as they were set, clipped weights, or what lies between them, by the penalty.
pub(super) fn followed(rows: &[Row], clipped: &[Row], penalty: f64) -> Vec<Row> {
    if penalty <= 0.0 {
        return rows.to_vec();
    }
    if penalty >= 1.0 {
        return clipped.to_vec();
    }
    let between = |(row, clipped): (&Row, &Row)| {
        let between = |(uid, weight): (&u16, &f64)| (*uid, weight + penalty * (at(clipped, *uid) - weight));
        row.iter().map(between).filter(|(_, weight)| *weight > 0.0).collect()
    };
    rows.iter().zip(clipped).map(between).collect()
}

/// The bonds that the chain keeps, without those to neurons that have gone.
pub(super) fn kept(input: &YumaInput) -> Vec<Row> {
    let is_same = |uid: u16| {
        input.neurons.get(usize::from(uid)).is_some_and(|neuron| neuron.registered < input.rules.bonds_from)
    };
    let row = |bonds: &[(u16, u16)]| {
        let same = bonds.iter().filter(|(uid, _)| is_same(*uid));
        same.map(|(uid, bond)| (*uid, f64::from(*bond) / f64::from(u16::MAX))).collect()
    };
    input.neurons.iter().map(|neuron| row(&neuron.bonds)).collect()
}

/// Bonds of Yuma 2 after an epoch, as shares of each miner: a part `alpha` of them is new. `old` is `None` where they have become
/// what they come to when the weights stay.
pub(super) fn shares(old: Option<Vec<Row>>, followed: &[Row], stake: &[f64], alpha: f64) -> Vec<Row> {
    let by_stake = |(row, stake): (&Row, &f64)| row.iter().map(|(uid, w)| (*uid, w * stake)).collect();
    let mut new: Vec<Row> = followed.iter().zip(stake).map(by_stake).collect();
    scale_columns(&mut new, |sum, value| sum + value);
    let Some(mut old) = old else { return new };
    scale_columns(&mut old, |sum, value| sum + value);
    let mut both = moved(&old, &new, alpha);
    scale_columns(&mut both, |sum, value| sum + value);
    both
}

/// Bonds of Yuma 3 after an epoch, 0 to 1 each, where each has an alpha of its own. A bond to a miner that the row of weights does
/// not name is dropped.
pub(super) fn liquid(old: &[Row], followed: &[Row], consensus: &[f64], bounds: LiquidAlpha) -> Vec<Row> {
    let LiquidAlpha { low, high, steepness } = bounds;
    let alpha = |consensus: f64, weight: f64, bond: f64| {
        // What is above the consensus, for a bond that grows; what the bond is above the weight, for one that falls.
        let apart = if weight >= bond { weight - consensus } else { bond - weight };
        let sigmoid = 1.0 / (1.0 + libm::exp(-steepness / 100.0 * (apart.clamp(0.0, 1.0) - 0.5)));
        (low + sigmoid * (high - low)).min(high).max(low)
    };
    let row = |(old, row): (&Row, &Row)| {
        let bond = |(uid, weight): (&u16, &f64)| {
            let (agreed, bond) = (consensus.get(usize::from(*uid)).copied().unwrap_or(0.0), at(old, *uid));
            let alpha = alpha(agreed, *weight, bond);
            (*uid, ((1.0 - alpha) * bond + alpha * weight).min(1.0))
        };
        row.iter().map(bond).filter(|(_, bond)| *bond > 0.0).collect()
    };
    old.iter().zip(followed).map(row).collect()
}

/// `alpha` of the new and the rest of the old.
pub(super) fn moved(old: &[Row], new: &[Row], alpha: f64) -> Vec<Row> {
    let row = |(old, new): (&Row, &Row)| {
        let uids: BTreeSet<u16> = old.keys().chain(new.keys()).copied().collect();
        let moved = uids.into_iter().map(|uid| (uid, alpha * at(new, uid) + (1.0 - alpha) * at(old, uid)));
        moved.filter(|(_, value)| *value > 0.0).collect()
    };
    old.iter().zip(new).map(row).collect()
}
