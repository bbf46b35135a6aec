//! Which rows select, train and test, per segment.

use crate::segments::{Walk, walk};
use mantis_plugin_api::Solver;
use std::ops::Range;

/// The constants of a panel challenge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Rows of a segment, and of a sub-segment inside the training rows.
    pub segment_rows: usize,
    /// Rows at the start of a segment or sub-segment that get no value; also the rows between fit and evaluation when
    /// miners are selected.
    pub embargo: usize,
    /// Rows before a segment's first value that are left out of training and selection.
    pub purge: usize,
    /// Rows that the selection is evaluated on.
    pub eval_rows: usize,
    /// Pooled samples that each part of a segment needs.
    pub min_samples: usize,
    /// Samples that a model of one miner needs.
    pub min_fit: usize,
    /// Samples that the AUC of one miner needs.
    pub min_eval: usize,
    /// Distinct values that a miner's samples need in the selection's fit.
    pub min_distinct: usize,
    /// Miners selected per segment.
    pub top_k: usize,
    /// Inverse penalty of the models of single miners.
    pub base_c: f64,
    /// Inverse penalty of the ensemble.
    pub meta_c: f64,
    /// Replicates of the block bootstrap.
    pub replicates: u64,
    /// Samples per bootstrap block.
    pub block: usize,
    /// Groups of the median of means.
    pub groups: usize,
    /// Seed of the bootstrap in segment s: `seed + seed_step * (s + 1)`.
    pub seed: u64,
    /// See `seed`.
    pub seed_step: u64,
    /// Segments after which a segment counts half.
    pub half_life: f64,
    /// Standard deviation below which what a miner sends for an asset counts as nothing.
    pub min_std: f64,
    /// Where fits stop.
    pub solver: Solver,
    /// Where the network's fits stop: largest gradient.
    pub tol: f64,
    /// Where its fits of single miners stop: iterations.
    pub base_max_iter: usize,
    /// Where its ensembles stop: iterations.
    pub meta_max_iter: usize,
}

/// The rows of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Counted from 0, unused ones included.
    pub index: usize,
    /// The selection's models know the rows before this.
    pub fit_end: usize,
    /// The selection's AUC is measured on these.
    pub eval: Range<usize>,
    /// The ensemble learns from rows before this.
    pub train_end: usize,
    /// It is tested on these.
    pub val: Range<usize>,
}

impl Settings {
    /// The segments of `rows` rows (scoring: xsec; funding).
    #[must_use]
    pub fn segments(&self, rows: usize) -> Vec<Segment> {
        let walk = walk(rows, self.segment_rows, self.embargo).enumerate();
        walk.map(|(index, segment)| {
            let train_end = segment.from.saturating_sub(self.purge);
            let eval = train_end.saturating_sub(self.eval_rows)..train_end;
            let fit_end = eval.start.saturating_sub(self.embargo);
            Segment { index, fit_end, eval, train_end, val: segment.from..segment.end }
        })
        .collect()
    }

    /// The sub-segments of training rows: values of `from..end` come from a model of the rows before `from`.
    pub(super) fn sub_segments(&self, train_end: usize) -> Walk {
        walk(train_end, self.segment_rows, self.embargo)
    }

    /// What a segment counts relative to the last one.
    pub(super) fn decay(&self, segment: usize, last: usize) -> f64 {
        crate::math::exp2(-((last - segment) as f64) / self.half_life)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Small numbers, so that tests are fast.
    pub(in crate::panel) fn settings() -> Settings {
        Settings {
            segment_rows: 100,
            embargo: 10,
            purge: 0,
            eval_rows: 100,
            min_samples: 50,
            min_fit: 20,
            min_eval: 10,
            min_distinct: 0,
            top_k: 4,
            base_c: 0.5,
            meta_c: 0.5,
            replicates: 8,
            block: 30,
            groups: 4,
            seed: 42,
            seed_step: 7919,
            half_life: 3.0,
            min_std: 0.0,
            solver: Solver::Exact,
            tol: 1e-4,
            base_max_iter: 200,
            meta_max_iter: 100,
        }
    }

    #[test]
    fn rows_of_a_segment_with_and_without_purge() {
        let plain = settings().segments(260);
        assert_eq!(plain.len(), 3);
        let third = Segment { index: 2, fit_end: 100, eval: 110..210, train_end: 210, val: 210..260 };
        assert_eq!(plain[2], third);
        let purged = Settings { purge: 10, ..settings() }.segments(260);
        let third = Segment { index: 2, fit_end: 90, eval: 100..200, train_end: 200, val: 210..260 };
        assert_eq!(purged[2], third);
        assert_eq!((purged[0].train_end, purged[0].fit_end), (0, 0));
    }

    #[test]
    fn three_segments_ago_counts_half() {
        assert_eq!((settings().decay(2, 5), settings().decay(5, 5)), (0.5, 1.0));
    }
}
