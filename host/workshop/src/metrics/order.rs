//! Pairs by their number: what the AUC needs, once for all weights.

use super::sample::{Pair, Sample};

/// Pairs in the order of one of their numbers, and which of them are positive.
#[derive(Debug)]
pub(super) struct Order {
    /// Row and whether it is positive, by number.
    sorted: Vec<(u32, bool)>,
    /// Ends of runs of equal numbers.
    ends: Vec<usize>,
}

impl Order {
    /// The pairs of a sample by their number `number`; positive are those that `is_positive` says.
    pub(super) fn new(sample: &Sample, number: usize, is_positive: impl Fn(&Pair) -> bool) -> Self {
        let mut all: Vec<(f64, u32, bool)> = sample
            .pairs
            .iter()
            .map(|pair| (sample.of(pair)[number], pair.row as u32, is_positive(pair)))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Zeros of either sign are one number.
        let is_end = |at: usize| all.get(at + 1).is_none_or(|next| next.0 != all[at].0);
        let ends = (0..all.len()).filter(|at| is_end(*at)).map(|at| at + 1).collect();
        Self { sorted: all.iter().map(|(_, row, positive)| (*row, *positive)).collect(), ends }
    }

    /// The odds that a positive pair has a larger number than another, halves for equal ones; rows count as often as
    /// `weights` say. `None` where one of the two kinds is missing.
    pub(super) fn auc(&self, weights: &[f64]) -> Option<f64> {
        let (mut begin, mut below, mut positives, mut won) = (0, 0.0, 0.0, 0.0);
        for end in &self.ends {
            let (mut up, mut down) = (0.0, 0.0);
            for (row, positive) in &self.sorted[begin..*end] {
                let weight = weights[*row as usize];
                if *positive { up += weight } else { down += weight }
            }
            won += up * (below + 0.5 * down);
            below += down;
            positives += up;
            begin = *end;
        }
        (positives > 0.0 && below > 0.0).then(|| won / (positives * below))
    }
}
