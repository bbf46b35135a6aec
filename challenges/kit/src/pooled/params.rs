//! The parameters that challenges with a pooled walk share.

use super::Pooled;
use crate::bootstrap::BlockBootstrap;
use crate::logistic::Stop;
use mantis_plugin_api::{Spec, params};

params! {
    /// What challenges with a pooled walk have in common; the defaults are the network's.
    pub struct PooledParams {
        /// Rows that are scored at most, counted back from the newest.
        max_rows: usize = 432_000, in 1_000..=10_000_000;
        /// Labelled rows below which no miner is paid.
        min_rows: usize = 500, in 2..=10_000_000;
        /// Rows of a walk-forward segment.
        segment_rows: usize = 8_000, in 10..=10_000_000;
        /// Samples that selection, ensemble and segment need.
        min_samples: usize = 200, in 2..=1_000_000_000;
        /// A miner's samples that its own model needs.
        min_fit: usize = 50, in 2..=1_000_000_000;
        /// A miner's samples that its AUC needs.
        min_eval: usize = 20, in 2..=1_000_000_000;
        /// Miners that are kept in each segment, by AUC.
        top_k: usize = 20, in 1..=4_096;
        /// Inverse penalty of the models of single miners.
        base_c: f64 = 0.5, in 1e-6..=1e6;
        /// Inverse penalty of the ensemble.
        meta_c: f64 = 0.5, in 1e-6..=1e6;
        /// Replicates of the ensemble's block bootstrap.
        replicates: u64 = 20, in 1..=1_000;
        /// Samples of a bootstrap block.
        block: usize = 120, in 1..=1_000_000;
        /// The bootstrap of segment s, counted from 0, has the challenge's seed plus s + 1 times this.
        seed_step: u64 = 7_919, in 0..=1_000_000_000;
        /// Groups of the median of means over replicates.
        groups: usize = 4, in 1..=1_000;
        /// Half-life of a segment's weight, in segments.
        half_life: f64 = 3.0, in 0.001..=1e6;
        /// Largest gradient at which the network's solver stops.
        tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Iterations at which it stops for the models of single miners.
        base_max_iter: usize = 200, in 1..=100_000;
        /// Iterations at which it stops for the ensemble.
        meta_max_iter: usize = 100, in 1..=100_000;
    }
}

impl PooledParams {
    /// The walk of a challenge over its labels, `rows x assets`: without embargo, without rows cut off before a segment,
    /// and without a least number of distinct numbers.
    #[must_use]
    pub fn walk(&self, spec: &Spec, labels: Vec<Option<bool>>) -> Pooled {
        let assets = spec.assets.len().max(1);
        let stop = |max_iter| Stop::from(spec.solver).within(self.tol, max_iter);
        Pooled {
            rows: labels.len() / assets,
            assets,
            labels,
            segment_rows: self.segment_rows,
            embargo_rows: 0,
            cut_rows: 0,
            min_samples: self.min_samples,
            min_fit: self.min_fit,
            min_eval: self.min_eval,
            min_distinct: 0,
            top_k: self.top_k,
            base_c: self.base_c,
            base_stop: stop(self.base_max_iter),
            meta_c: self.meta_c,
            meta_stop: stop(self.meta_max_iter),
            bootstrap: BlockBootstrap { replicates: self.replicates, block: self.block, seed: spec.seed },
            seed_step: self.seed_step,
            groups: self.groups,
            half_life: self.half_life,
        }
    }
}
