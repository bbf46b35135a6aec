//! What is known of one miner before it is compared with others.

use crate::predictions::floats;
use crate::{DIM, Params};
use mantis_plugin_api::{History, PluginError, f16};

/// Rows that are read at a time, and after which it is asked which pairs can still be linked.
pub(super) const STRETCH: usize = 512;
/// Rows of one word of presence.
const WORD: usize = u64::BITS as usize;

/// One miner's numbers over all rows, in short.
pub(super) struct Profile {
    pub(super) miner: usize,
    /// Mean of each number that is compared, over the rows in which the miner is present.
    pub(super) mean: Vec<f32>,
    pub(super) present_rows: usize,
    /// Rows in which it is present, a bit each.
    present: Vec<u64>,
    /// Energy from each stretch on, to the last row.
    rest: Vec<f64>,
}

impl Profile {
    /// Reads all rows of a miner.
    pub(super) fn read(
        miner: usize,
        history: &dyn History,
        rows: &[usize],
        params: &Params,
    ) -> Result<Self, PluginError> {
        let dims = params.cohort_dims;
        let mut compared = Vec::with_capacity(rows.len() * dims);
        let mut sent = Vec::with_capacity(rows.len());
        for rows in rows.chunks(STRETCH) {
            let numbers = Stretch::read(miner, history, rows)?;
            for numbers in numbers.rows(rows) {
                compared.extend_from_slice(&numbers[..dims]);
                sent.push(is_sent(numbers));
            }
        }
        let present_rows = sent.iter().filter(|&&sent| sent).count();
        let mean = mean(&compared, present_rows, params);
        let mut distances = vec![0.0; dims];
        let mut energy = 0.0;
        let mut rest = vec![0.0; rows.len().div_ceil(STRETCH)];
        let stretches = compared.chunks(STRETCH * dims).zip(sent.chunks(STRETCH));
        for (rest, (numbers, sent)) in rest.iter_mut().zip(stretches).rev() {
            let present = numbers.chunks(dims).zip(sent).filter(|(_, sent)| **sent);
            present.for_each(|(numbers, _)| energy += f64::from(deviation(numbers, &mean, &mut distances)));
            *rest = energy;
        }
        let word = |sent: &[bool]| {
            sent.iter().enumerate().fold(0, |word, (row, &sent)| word | u64::from(sent) << row)
        };
        Ok(Self { miner, mean, present_rows, present: sent.chunks(WORD).map(word).collect(), rest })
    }

    /// Rows in which both are present.
    pub(super) fn common_rows(&self, other: &Self) -> usize {
        let words = self.present.iter().zip(&other.present);
        words.map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    /// The largest distance between two means.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let far = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).abs();
        self.mean.iter().zip(&other.mean).map(far).fold(0.0, f64::max)
    }

    /// Energy of the rows after so many stretches.
    pub(super) fn rest_after(&self, stretches: usize) -> f64 {
        self.rest.get(stretches).copied().unwrap_or(0.0)
    }
}

/// Means over the rows in which a miner is present; it has zeros in the others.
///
/// The sums are in single precision on purpose: rounding is all that is left of a constant miner's deviation from its mean,
/// and so it decides whether constants are in a cohort.
fn mean(compared: &[f32], present_rows: usize, params: &Params) -> Vec<f32> {
    let dims = params.cohort_dims;
    let mut total = vec![0.0_f64; dims];
    for numbers in compared.chunks(params.cohort_sum_rows * dims) {
        let mut sums = vec![0.0_f32; dims];
        for numbers in numbers.chunks(dims) {
            sums.iter_mut().zip(numbers).for_each(|(sum, x)| *sum += x);
        }
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(sum));
    }
    total.iter().map(|total| (total / present_rows.max(1) as f64) as f32).collect()
}

/// Writes how far a row's numbers are from their means; gives its energy, the sum of the squares. Both are in single
/// precision, as the network has them.
pub(super) fn deviation(numbers: &[f32], mean: &[f32], distances: &mut [f64]) -> f32 {
    let mut energy = 0.0;
    for ((distance, x), mean) in distances.iter_mut().zip(numbers).zip(mean) {
        let d = x - mean;
        *distance = f64::from(d);
        energy += d * d;
    }
    energy
}

/// Whether a row has any number that counts.
pub(super) fn is_sent(numbers: &[f32]) -> bool {
    numbers.iter().fold(false, |sent, &x| sent | (x != 0.0))
}

/// One miner's numbers in some rows, and in those between them.
pub(super) struct Stretch {
    first: usize,
    numbers: Vec<f32>,
}

impl Stretch {
    /// Reads what one miner sent from the first to the last of `rows`, which ascend.
    pub(super) fn read(miner: usize, history: &dyn History, rows: &[usize]) -> Result<Self, PluginError> {
        let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else {
            return Ok(Self { first: 0, numbers: Vec::new() });
        };
        let mut raw = vec![f16::ZERO; (last + 1 - first) * DIM];
        history.read(miner..miner + 1, first..last + 1, &mut raw)?;
        Ok(Self { first, numbers: floats(&raw) })
    }

    /// All numbers of each of the rows that were read.
    pub(super) fn rows<'a>(&'a self, rows: &'a [usize]) -> impl Iterator<Item = &'a [f32]> {
        rows.iter().map(|&row| &self.numbers[(row - self.first) * DIM..][..DIM])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::MemoryHistory;

    fn profiles(miners: &[Vec<[f32; 2]>], params: &Params) -> Vec<Profile> {
        let rows = miners[0].len();
        let mut history = MemoryHistory::new(rows, DIM);
        for (i, sent) in miners.iter().enumerate() {
            let mut numbers = vec![0.0; rows * DIM];
            for (row, sent) in numbers.chunks_mut(DIM).zip(sent) {
                row[..2].copy_from_slice(sent);
            }
            history.push(&format!("{i}"), &numbers);
        }
        let rows: Vec<usize> = (0..rows).collect();
        (0..miners.len()).map(|i| Profile::read(i, &history, &rows, params).unwrap()).collect()
    }

    #[test]
    fn means_are_of_present_rows_and_summed_in_single_precision() {
        let params = Params { cohort_dims: 2, cohort_sum_rows: 30_000, ..Params::default() };
        let constant: Vec<[f32; 2]> =
            (0..50_000).map(|row| if row % 2 == 0 { [0.3, 0.5] } else { [0.0; 2] }).collect();
        let found = &profiles(&[constant, vec![[0.0; 2]; 50_000]], &params);
        let sent = f16::from_f32(0.3).to_f32();
        let part = |rows: usize| f64::from((0..rows).fold(0.0_f32, |sum, _| sum + sent));
        let expected = ((part(15_000) + part(10_000)) / 25_000.0) as f32;
        assert_eq!((&found[0].mean[..], found[0].present_rows), (&[expected, 0.5][..], 25_000));
        assert_ne!(expected, sent, "rounding is what is left");
        let left = f64::from((sent - expected) * (sent - expected));
        assert!((found[0].rest_after(0) / (25_000.0 * left) - 1.0).abs() < 1e-12);
        assert!((found[0].rest_after(97) / (168.0 * left) - 1.0).abs() < 1e-12);
        assert_eq!((found[0].rest_after(98), found[1].rest_after(0), found[1].present_rows), (0.0, 0.0, 0));
    }

    #[test]
    fn pairs_have_common_rows_and_a_distance() {
        let params = Params { cohort_dims: 2, ..Params::default() };
        let sends = |from: usize, x: f32| -> Vec<[f32; 2]> {
            (0..200).map(|row| if row >= from { [x, 0.25] } else { [0.0; 2] }).collect()
        };
        let found = profiles(&[sends(50, 0.5), sends(120, 0.75)], &params);
        assert_eq!((found[0].common_rows(&found[1]), found[0].distance(&found[1])), (80, 0.25));
    }
}
