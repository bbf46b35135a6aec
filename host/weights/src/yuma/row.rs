//! Rows of weights and of bonds, as the chain counts them.

use super::input::{YumaInput, YumaNeuron};
use std::collections::BTreeMap;

/// A validator's numbers, by UID of the miner. A UID that is there with 0 is not the same as one that is absent: some of the
/// chain's formulas leave out the second.
pub type Row = BTreeMap<u16, f64>;

/// The weights that count, each row scaled to sum 1: those of validators with a permit, for others than themselves, and for
/// the hotkey that had the UID when they were set.
pub(super) fn counted(input: &YumaInput) -> Vec<Row> {
    let rows = (0_usize..).zip(&input.neurons).map(|(uid, neuron)| {
        let mut row = Row::new();
        if input.may_set(uid) {
            let counts = |target: u16| counts(input, uid, neuron, target);
            for (target, weight) in neuron.weights.iter().filter(|(target, _)| counts(*target)) {
                *row.entry(*target).or_default() += f64::from(*weight);
            }
        }
        scale(&mut row);
        row
    });
    rows.collect()
}

fn counts(input: &YumaInput, uid: usize, neuron: &YumaNeuron, target: u16) -> bool {
    let Some(miner) = input.neurons.get(usize::from(target)) else { return false };
    let is_self = usize::from(target) == uid && input.rules.owner != Some(target);
    !is_self
        && neuron.last_update > miner.registered
        && neuron.committed.is_none_or(|committed| committed >= miner.registered)
}

/// Scales a row to sum 1; one without a sum stays.
pub(super) fn scale(row: &mut Row) {
    let sum: f64 = row.values().sum();
    if sum > 0.0 {
        row.values_mut().for_each(|value| *value /= sum);
    }
}

/// Scales a list to sum 1; one without a sum stays.
pub(super) fn scale_list(list: &mut [f64]) {
    let sum: f64 = list.iter().sum();
    if sum > 0.0 {
        list.iter_mut().for_each(|value| *value /= sum);
    }
}

/// Scales each column of a matrix by what `join` makes of it, such as its sum; a column where that is 0 stays.
pub(super) fn scale_columns(rows: &mut [Row], join: impl Fn(f64, f64) -> f64) {
    let mut columns = Row::new();
    for (uid, value) in rows.iter().flatten() {
        let column = columns.entry(*uid).or_default();
        *column = join(*column, *value);
    }
    for (uid, value) in rows.iter_mut().flatten() {
        let column = columns.get(uid).copied().unwrap_or(0.0);
        if column > 0.0 {
            *value /= column;
        }
    }
}

/// The value in a row; 0 where it has none.
pub(super) fn at(row: &Row, uid: u16) -> f64 {
    row.get(&uid).copied().unwrap_or(0.0)
}
