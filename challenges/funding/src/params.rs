//! Every constant of the challenge.

use mantis_plugin_api::params;

params! {
    /// Parameters of `funding`; the defaults are the network's.
    pub struct Params {
        /// Rows that are scored at most, counted back from the newest.
        max_rows: usize = 432_000, in 1_000..=10_000_000;
        /// Labelled rows below which nobody is paid.
        min_rows: usize = 500, in 2..=10_000_000;
        /// How far from the horizon the row that a row is compared to may lie, as a part of the horizon.
        pair_tolerance: f64 = 0.15, in 0.0..=1.0;
        /// Standard deviation over all labelled rows below which what a miner sends for an asset counts as nothing.
        min_std: f64 = 1e-4, in 0.0..=1.0;
        /// Rows of a walk-forward segment.
        segment_rows: usize = 8_000, in 10..=10_000_000;
        /// Least number of rows left out between rows that teach and rows that get a value; the horizon if that is more.
        embargo_rows: usize = 60, in 0..=1_000_000;
        /// Rows that the selection is evaluated on.
        eval_rows: usize = 8_000, in 1..=10_000_000;
        /// Pooled samples that each part of a segment needs.
        min_samples: usize = 200, in 2..=1_000_000;
        /// Samples that a model of one miner needs.
        min_fit_samples: usize = 50, in 2..=1_000_000;
        /// Samples that the AUC of one miner needs.
        min_eval_samples: usize = 20, in 2..=1_000_000;
        /// Distinct values that a miner's samples need in the selection's fit.
        min_distinct: usize = 5, in 0..=60_000;
        /// Miners that are selected per segment, by AUC.
        top_k: usize = 20, in 1..=256;
        /// Inverse penalty of the models of single miners.
        base_c: f64 = 0.5, in 1e-6..=1e6;
        /// Inverse penalty of the ensemble.
        meta_c: f64 = 0.5, in 1e-6..=1e6;
        /// Replicates of the block bootstrap.
        replicates: u64 = 20, in 1..=1_000;
        /// Samples of a bootstrap block.
        block_samples: usize = 120, in 1..=1_000_000;
        /// Groups of the median of means.
        groups: usize = 4, in 1..=1_000;
        /// The bootstrap of segment s, from 0, is seeded with the seed plus (s + 1) times this.
        seed_step: u64 = 7_919, in 0..=1_000_000_000;
        /// Segments after which a segment counts half.
        half_life_segments: f64 = 3.0, in 0.001..=100_000.0;
        /// Largest gradient at which the network's solver stops.
        tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Iterations at which it stops, in models of single miners.
        base_max_iter: usize = 200, in 1..=100_000;
        /// Iterations at which it stops, in ensembles.
        meta_max_iter: usize = 100, in 1..=100_000;
    }
}
