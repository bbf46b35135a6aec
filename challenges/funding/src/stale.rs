//! Numbers that never change.

use crate::Labels;
use mantis_plugin_api::f16;

/// The assets of which a miner says the same all the time.
#[derive(Clone, Debug)]
pub(crate) struct Stale {
    is_stale: Vec<bool>,
    sent: usize,
}

impl Stale {
    /// Finds the assets whose numbers hardly vary over the paired rows (population standard deviation below `std`,
    /// absent rows as zeros). `numbers` are `rows x assets`, row by row.
    pub(crate) fn find(numbers: &[f16], labels: &Labels, std: f64) -> Self {
        let assets = numbers.len() / labels.rows.len().max(1);
        let paired = || {
            let rows = numbers.chunks_exact(assets.max(1)).zip(&labels.is_paired);
            rows.filter(|(_, is_paired)| **is_paired).map(|(row, _)| row)
        };
        let n = paired().count().max(1) as f64;
        let mut means = vec![0.0; assets];
        let mut is_sent = vec![false; assets];
        for row in paired() {
            for ((mean, sent), number) in means.iter_mut().zip(&mut is_sent).zip(row) {
                let number = finite(*number);
                *mean += number;
                *sent |= number != 0.0;
            }
        }
        means.iter_mut().for_each(|mean| *mean /= n);
        let mut squares = vec![0.0; assets];
        for row in paired() {
            for ((square, mean), number) in squares.iter_mut().zip(&means).zip(row) {
                let off = finite(*number) - mean;
                *square += off * off;
            }
        }
        let is_stale: Vec<bool> = squares.iter().map(|square| (square / n).sqrt() < std).collect();
        let sent = is_stale.iter().zip(is_sent).filter(|(is_stale, is_sent)| **is_stale && *is_sent).count();
        Self { is_stale, sent }
    }

    /// How many of them had a number.
    pub(crate) fn sent(&self) -> usize {
        self.sent
    }

    /// The assets whose numbers [`Stale::clear`] sets to zero, ascending.
    pub(crate) fn cleared(&self) -> Vec<usize> {
        let stale = self.is_stale.iter().enumerate().filter(|(_, is_stale)| **is_stale && self.sent > 0);
        stale.map(|(asset, _)| asset).collect()
    }

    /// Sets their numbers to zero.
    pub(crate) fn clear(&self, numbers: &mut [f16]) {
        if self.sent > 0 {
            for row in numbers.chunks_exact_mut(self.is_stale.len()) {
                let stale = row.iter_mut().zip(&self.is_stale).filter(|(_, is_stale)| **is_stale);
                stale.for_each(|(number, _)| *number = f16::ZERO);
            }
        }
    }
}

/// A broken number counts as absent.
fn finite(number: f16) -> f64 {
    if number.is_finite() { number.to_f64() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clears_assets_that_do_not_vary() {
        let labels =
            Labels { rows: vec![0, 1, 2, 3], is_paired: vec![true, true, false, true], ..Labels::default() };
        // The second asset varies, the first does in an unpaired row only, the third was never sent.
        let numbers = [0.5, 0.1, 0.0, 0.5, 0.2, 0.0, 0.9, 0.1, 0.0, 0.5, 0.1, 0.0];
        let mut numbers = numbers.map(f16::from_f32);
        let stale = Stale::find(&numbers, &labels, 1e-4);
        stale.clear(&mut numbers);
        assert_eq!((stale.sent(), stale.is_stale), (1, vec![true, false, true]));
        let kept: Vec<f32> = numbers.chunks(3).flat_map(|row| [row[0], row[2]]).map(f16::to_f32).collect();
        assert_eq!(kept, [0.0; 8]);
        assert_eq!(numbers[4], f16::from_f32(0.2));
    }
}
