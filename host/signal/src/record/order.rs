//! Measures of order: the area under the ROC curve, and the rank correlation.

use super::measure::PerRow;
use super::rows::{Pair, Rows};

/// Pairs in the order of what was said, so that the area is found for any weights of rows.
pub(super) struct Order {
    /// Row, whether it came true, and whether a new number begins with it.
    sorted: Vec<(usize, bool, bool)>,
}

impl Order {
    pub(super) fn new(pairs: &[Pair], class: usize) -> Self {
        let number = |pair: &Pair| pair.said.get(class).copied().unwrap_or(0.0) + 0.0;
        let mut all: Vec<(f64, usize, bool)> =
            pairs.iter().map(|pair| (number(pair), pair.row, pair.came == class)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut before = f64::NAN;
        let sorted = all.into_iter().map(|(number, row, came)| {
            let begins = number != before;
            before = number;
            (row, came, begins)
        });
        Self { sorted: sorted.collect() }
    }

    /// The probability that one that came true has the larger number than one that did not; equal ones count a half
    /// (Mann and Whitney 1947). `None` where all or none came true.
    pub(super) fn auc(&self, weights: &[f64]) -> Option<f64> {
        let (mut won, mut ups, mut downs) = (0.0, 0.0, 0.0);
        let (mut same_ups, mut same_downs) = (0.0, 0.0);
        for (row, came, begins) in &self.sorted {
            if *begins {
                won += same_ups * (downs + same_downs / 2.0);
                ups += same_ups;
                downs += same_downs;
                (same_ups, same_downs) = (0.0, 0.0);
            }
            let weight = weights.get(*row).copied().unwrap_or(0.0);
            if *came { same_ups += weight } else { same_downs += weight }
        }
        won += same_ups * (downs + same_downs / 2.0);
        let (ups, downs) = (ups + same_ups, downs + same_downs);
        (ups > 0.0 && downs > 0.0).then(|| won / (ups * downs))
    }
}

/// Spearman's correlation of scores and labels, row by row; rows in which one of the two does not vary have none.
pub(super) fn rank_correlations(rows: &Rows) -> PerRow {
    let mut all = PerRow::new(rows.windows.len());
    for pairs in rows.pairs.chunk_by(|a, b| a.row == b.row) {
        let said: Vec<f64> = pairs.iter().filter_map(|pair| pair.said.first().copied()).collect();
        let came: Vec<f64> = pairs.iter().map(|pair| pair.came as f64).collect();
        if let (Some(found), Some(first)) = (correlation(&ranks(&said), &ranks(&came)), pairs.first()) {
            all.add(first.row, found);
        }
    }
    all
}

/// Mean ranks, from 0.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut below = 0;
    for same in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        for at in same {
            ranks[*at] = below as f64 + (same.len() - 1) as f64 / 2.0;
        }
        below += same.len();
    }
    ranks
}

fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += (x - mx) * (y - my);
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}
