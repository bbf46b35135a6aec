//! What miners sent, in the shapes that the two parts need.

use crate::{BUCKETS, DIM, LEVELS, Labels, Params, TAILS};
use half::slice::HalfFloatSliceExt;
use mantis_kit::math;
use mantis_plugin_api::{History, PluginError, Progress, f16};
use std::ops::Range;

/// Least probability of a bucket before scaling.
const MIN_P: f32 = 1e-6;
/// Probabilities of excursions are clipped to `[EPS, 1 - EPS]`.
const EPS: f64 = 1e-12;
/// What an absent probability of an excursion counts as.
const UNKNOWN: f64 = 0.5;

/// The part of the history that is looked at more than once.
pub(crate) struct Predictions {
    pub(crate) miners: Vec<MinerPredictions>,
    /// The rows of each tail bucket, indices among the labelled rows: those with a known excursion.
    pub(crate) tails: [Vec<usize>; TAILS.len()],
}

/// One miner's predictions on the labelled rows.
pub(crate) struct MinerPredictions {
    /// Most likely bucket per labelled row; the first of equals, so 0 if absent.
    pub(crate) choice: Vec<u8>,
    /// Labelled rows with any number.
    pub(crate) present: usize,
    /// Labelled rows with a bucket's number that counts as sent.
    pub(crate) sent: usize,
    /// Probability of each level on the rows of each tail bucket: empty if the miner sent none.
    excursions: [Vec<[f16; LEVELS]>; TAILS.len()],
}

impl Predictions {
    /// Reads every miner once.
    pub(crate) fn read(
        history: &dyn History,
        labels: &Labels,
        params: &Params,
        progress: &dyn Progress,
    ) -> Result<Self, PluginError> {
        let tails = TAILS.map(|tail| {
            let in_tail =
                |i: &usize| usize::from(labels.rows[*i].bucket) == tail && labels.rows[*i].strayed.is_some();
            (0..labels.rows.len()).filter(in_tail).collect::<Vec<usize>>()
        });
        let count = history.shape().miners;
        let mut miners = Vec::with_capacity(count);
        for miner in 0..count {
            miners.push(MinerPredictions::read(&history.miner(miner)?, labels, params, &tails));
            progress.report(0.05 + 0.05 * (miner + 1) as f64 / count as f64);
        }
        Ok(Self { miners, tails })
    }
}

impl MinerPredictions {
    fn read(raw: &[f16], labels: &Labels, params: &Params, tails: &[Vec<usize>; TAILS.len()]) -> Self {
        let mut choice = Vec::with_capacity(labels.rows.len());
        let (mut present, mut sent) = (0, 0);
        let numbers = floats(raw);
        for label in &labels.rows {
            let numbers = &numbers[label.row * DIM..(label.row + 1) * DIM];
            present += usize::from(is_there(numbers));
            sent += usize::from(numbers[..BUCKETS].iter().any(|&x| f64::from(x) > params.active_above));
            choice.push(choice_of(numbers));
        }
        let excursions = std::array::from_fn(|tail| {
            let first = BUCKETS + tail * LEVELS;
            let of_row = |&i: &usize| -> [f16; LEVELS] {
                std::array::from_fn(|level| raw[labels.rows[i].row * DIM + first + level])
            };
            let rows: Vec<[f16; LEVELS]> = tails[tail].iter().map(of_row).collect();
            if rows.iter().flatten().all(|&q| is_unknown(q)) { Vec::new() } else { rows }
        });
        Self { choice, present, sent, excursions }
    }

    /// Log odds of an excursion on the rows of a tail; `None` if the miner never sent any, which is 0 everywhere.
    pub(crate) fn excursion(&self, tail: usize, level: usize, table: &LogOdds) -> Option<Vec<f64>> {
        let rows = &self.excursions[tail];
        (!rows.is_empty()).then(|| rows.iter().map(|row| table.log_odds(row[level])).collect())
    }
}

impl MinerPredictions {
    /// Probability of each level on the rows of each tail, a column each; NaN where it is unknown.
    pub(crate) fn excursion_columns(&self, tails: &[Vec<usize>; TAILS.len()]) -> Vec<Vec<f64>> {
        let number = |q: f16| if is_unknown(q) { f64::NAN } else { q.to_f64() };
        let column = |tail: usize, level: usize| -> Vec<f64> {
            let rows = &self.excursions[tail];
            if rows.is_empty() {
                return vec![f64::NAN; tails[tail].len()];
            }
            rows.iter().map(|row| number(row[level])).collect()
        };
        (0..TAILS.len() * LEVELS).map(|i| column(i / LEVELS, i % LEVELS)).collect()
    }
}

/// Probabilities of each bucket on a range of labelled rows: one column per bucket.
pub(crate) fn probability_columns(
    history: &dyn History,
    labels: &Labels,
    miner: usize,
    rows: Range<usize>,
) -> Result<[Vec<f32>; BUCKETS], PluginError> {
    let mut columns = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
    let labelled = &labels.rows[rows];
    let (Some(first), Some(last)) = (labelled.first(), labelled.last()) else { return Ok(columns) };
    let mut raw = vec![f16::ZERO; (last.row + 1 - first.row) * DIM];
    history.read(miner..miner + 1, first.row..last.row + 1, &mut raw)?;
    let numbers = floats(&raw);
    for label in labelled {
        let at = (label.row - first.row) * DIM;
        for (column, p) in columns.iter_mut().zip(probabilities(&numbers[at..at + DIM])) {
            column.push(p);
        }
    }
    Ok(columns)
}

/// Whether a miner sent any number in a row.
pub(crate) fn is_there(numbers: &[f32]) -> bool {
    numbers.iter().any(|&x| x != 0.0)
}

/// The most likely bucket of a row's numbers; the first of equals, so 0 if the miner is absent.
pub(crate) fn choice_of(numbers: &[f32]) -> u8 {
    first_largest(&probabilities(numbers))
}

/// In single precision; what is not finite is 0, as if it was not sent.
pub(crate) fn floats(raw: &[f16]) -> Vec<f32> {
    let mut numbers = vec![0.0; raw.len()];
    raw.convert_to_f32_slice(&mut numbers);
    numbers.iter_mut().for_each(|x| *x = if x.is_finite() { *x } else { 0.0 });
    numbers
}

/// The buckets' numbers, raised to a least one and scaled to sum 1, in single precision as the network does.
fn probabilities(numbers: &[f32]) -> [f32; BUCKETS] {
    let raised: [f32; BUCKETS] = std::array::from_fn(|i| numbers[i].max(MIN_P));
    let sum = raised.iter().fold(0.0, |sum, p| sum + p);
    raised.map(|p| p / sum)
}

fn first_largest(p: &[f32; BUCKETS]) -> u8 {
    let mut best = 0;
    for (i, &value) in p.iter().enumerate() {
        if value > p[best] {
            best = i;
        }
    }
    best as u8
}

fn is_unknown(q: f16) -> bool {
    q.to_bits() & 0x7fff == 0 || !q.is_finite()
}

/// Log odds of every half float from 0 to 1.
pub(crate) struct LogOdds(Vec<f64>);

impl LogOdds {
    pub(crate) fn new() -> Self {
        let of_bits = |bits| math::logit(f16::from_bits(bits).to_f64().clamp(EPS, 1.0 - EPS));
        Self((0..=f16::ONE.to_bits()).map(of_bits).collect())
    }

    /// Log odds of a clipped probability; 0 and what is not finite count as even odds.
    fn log_odds(&self, q: f16) -> f64 {
        if is_unknown(q) {
            return math::logit(UNKNOWN);
        }
        // Negative numbers have the largest bit patterns.
        let bits = if q.is_sign_negative() { 0 } else { q.to_bits().min(f16::ONE.to_bits()) };
        self.0[usize::from(bits)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_clip_and_fill_in() {
        let table = LogOdds::new();
        let odds = |x: f32| table.log_odds(f16::from_f32(x));
        assert_eq!([0.0, -0.0, f32::NAN, f32::INFINITY].map(odds), [0.0; 4]);
        assert_eq!((odds(0.5), odds(0.25)), (0.0, math::logit(0.25)));
        assert_eq!((odds(-1.0), odds(7.0), odds(1.0)), (math::logit(EPS), math::logit(1.0 - EPS), odds(7.0)));
    }

    #[test]
    fn choices_take_the_first_of_equals() {
        let choice = |x: [f32; 5]| first_largest(&probabilities(&x));
        assert_eq!(choice([0.0; 5]), 0);
        assert_eq!(choice([0.1, 0.4, 0.1, 0.4, 0.0]), 1);
        assert_eq!(choice([-3.0, 0.0, 1e-7, 1e-5, 0.0]), 3);
        let broken = floats(&[f16::NAN, f16::INFINITY, f16::from_f32(0.5), f16::ZERO, f16::ZERO]);
        assert_eq!(broken, [0.0, 0.0, 0.5, 0.0, 0.0]);
    }
}
