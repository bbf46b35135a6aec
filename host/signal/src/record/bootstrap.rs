//! Intervals by the moving block bootstrap (Künsch 1989): whole blocks of rows are drawn, so that what overlaps stays
//! together.

use mantis_kit::rng::NumpyRng;

/// The same record has the same intervals.
const SEED: u64 = 7;
/// Effective rows below which there is no interval: it would be made of too few blocks to mean anything.
const FEWEST: usize = 10;
/// Draws at least and at most, and about how many pairs in all of them.
const DRAWS: (usize, usize) = (100, 1000);
const WORK: usize = 20_000_000;

/// How rows are drawn.
pub(super) struct Bootstrap {
    rows: usize,
    block: usize,
    draws: usize,
}

impl Bootstrap {
    /// Of so many rows, of which so many do not overlap; `None` for too few.
    pub(super) fn new(rows: usize, disjoint: usize, pairs: usize) -> Option<Self> {
        if disjoint < FEWEST {
            return None;
        }
        let draws = (WORK / pairs.max(1)).clamp(DRAWS.0, DRAWS.1);
        Some(Self { rows, block: rows.div_ceil(disjoint), draws })
    }

    /// The middle 95 % of what `values` gives for the weights of rows that are drawn, for each of its numbers.
    pub(super) fn intervals<const N: usize>(
        &self,
        values: impl Fn(&[f64]) -> [Option<f64>; N],
    ) -> [Option<[f64; 2]>; N] {
        let mut rng = NumpyRng::new(SEED);
        let mut drawn: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(self.draws));
        let mut weights = vec![0.0; self.rows];
        let starts = (self.rows - self.block.min(self.rows) + 1) as u64;
        for _ in 0..self.draws {
            weights.fill(0.0);
            let mut left = self.rows;
            while left > 0 {
                let start = rng.integers(starts) as usize;
                let length = self.block.min(left);
                for weight in weights.iter_mut().skip(start).take(length) {
                    *weight += 1.0;
                }
                left -= length;
            }
            for (drawn, value) in drawn.iter_mut().zip(values(&weights)) {
                drawn.extend(value);
            }
        }
        drawn.map(|drawn| middle(drawn, self.draws))
    }
}

/// The 2.5th and the 97.5th percentile; `None` if one in ten draws had no value.
fn middle(mut drawn: Vec<f64>, draws: usize) -> Option<[f64; 2]> {
    if drawn.is_empty() || drawn.len() * 10 < draws * 9 {
        return None;
    }
    drawn.sort_by(f64::total_cmp);
    let last = drawn.len() - 1;
    let at = |part: f64| drawn.get(((last as f64 * part).round() as usize).min(last)).copied();
    Some([at(0.025)?, at(0.975)?])
}
