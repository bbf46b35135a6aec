//! Intervals from resampled blocks of rows.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// How intervals are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampling {
    /// Rows of a block.
    pub block: usize,
    /// Samples that are drawn.
    pub draws: usize,
    /// The seed of the draws.
    pub seed: u64,
}

/// Pairs that are looked at in all samples together, unless those are few.
const MOST_PAIRS: usize = 400_000_000;
/// Blocks that an interval needs.
const LEAST_BLOCKS: usize = 5;

impl Resampling {
    /// What an interval of 95 % is drawn by, for labels that look so many rows ahead: blocks of two horizons, and as many samples
    /// as so many pairs leave time for.
    #[must_use]
    pub fn new(horizon: usize, pairs: usize, seed: u64) -> Self {
        let draws = (MOST_PAIRS / pairs.max(1)).clamp(100, 400);
        Self { block: horizon.saturating_mul(2).max(1), draws, seed }
    }

    /// Calls `each` with how often every one of `rows` rows is drawn, once for each sample: blocks that begin anywhere and
    /// go on at the start where they reach the end. Not at all where there are too few blocks: all samples would be alike.
    pub(super) fn draw(&self, rows: usize, mut each: impl FnMut(&[f64])) {
        let block = self.block.max(1);
        if rows / block < LEAST_BLOCKS {
            return;
        }
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        let mut weights = vec![0.0; rows];
        for _ in 0..self.draws {
            weights.fill(0.0);
            let mut left = rows;
            while left > 0 {
                let start = ((u128::from(generator.next_u64()) * rows as u128) >> 64) as usize;
                let length = block.min(left);
                (0..length).for_each(|at| weights[(start + at) % rows] += 1.0);
                left -= length;
            }
            each(&weights);
        }
    }
}

/// The middle 95 % of some numbers.
pub(super) fn middle(mut numbers: Vec<f64>) -> Option<[f64; 2]> {
    if numbers.len() < 40 {
        return None;
    }
    numbers.sort_by(f64::total_cmp);
    let at = |part: f64| numbers[((numbers.len() - 1) as f64 * part).round() as usize];
    Some([at(0.025), at(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_has_as_many_rows_and_the_same_seed_draws_the_same() {
        let draws = |seed| {
            let mut all = Vec::new();
            Resampling { block: 7, draws: 50, seed }.draw(40, |weights| all.push(weights.to_vec()));
            all
        };
        let all = draws(1);
        assert!(all.iter().all(|weights| weights.iter().sum::<f64>() == 40.0) && all.len() == 50);
        assert_eq!(all, draws(1));
        assert_ne!(all, draws(2));
        let mut few = 0;
        Resampling { block: 7, draws: 50, seed: 1 }.draw(34, |_| few += 1);
        assert_eq!(few, 0);
    }

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_its_blocks_are_long() {
        // Runs of 50 equal rows: rows alone would make the interval 7 times too narrow.
        let values: Vec<f64> = (0..5000).map(|row| f64::from((row / 50 * 7919 % 13) as u8 & 1)).collect();
        let width = |block| {
            let mut means = Vec::new();
            let mean =
                |weights: &[f64]| weights.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>() / 5000.0;
            Resampling { block, draws: 400, seed: 3 }.draw(5000, |weights| means.push(mean(weights)));
            let [low, high] = middle(means).unwrap();
            high - low
        };
        assert!(width(100) > 3.0 * width(1), "{} {}", width(100), width(1));
    }
}
