//! Every constant of the challenge.

use mantis_plugin_api::params;

params! {
    /// Parameters of `binary`; the defaults are the network's.
    pub struct Params {
        /// Rows that are scored at most, counted back from the newest.
        max_rows: usize = 86_400, in 1_000..=10_000_000;
        /// Labelled rows below which no miner is paid.
        min_rows: usize = 500, in 2..=10_000_000;
        /// A row is skipped when its price has been the same for more than this many rows.
        freeze_limit: usize = 15, in 0..=1_000_000;
        /// Half-life of the time weights, in days.
        half_life_days: f64 = 15.0, in 0.001..=100_000.0;
        /// Rows of one day.
        rows_per_day: u32 = 1_440, in 1..=100_000;
        /// Inverse penalty of the models of single miners.
        base_c: f64 = 0.5, in 1e-6..=1e6;
        /// Present rows that a fit needs, of the ensemble too.
        min_fit_rows: usize = 50, in 2..=1_000_000;
        /// Present rows that an AUC needs.
        min_eval_rows: usize = 20, in 2..=1_000_000;
        /// Miners that are kept, by AUC.
        top_k: usize = 50, in 1..=4_096;
        /// A kept miner's AUC must be above this.
        min_auc: f64 = 0.5, in 0.0..=1.0;
        /// Rows of a walk-forward segment.
        segment_rows: usize = 4_000, in 10..=10_000_000;
        /// Rows at a segment's start that get no value, so that no training label reaches into them.
        embargo_rows: usize = 60, in 0..=1_000_000;
        /// Inverse penalty of the ensemble.
        meta_c: f64 = 1.0, in 1e-6..=1e6;
        /// Share of L1 in the ensemble's elastic net.
        meta_l1_ratio: f64 = 0.5, in 0.0..=1.0;
        /// Bring each miner's numbers to one scale before its models, and its values to one before the ensemble. Without
        /// this, numbers a hundredth as large earn several times as much.
        standardise: bool = false, in false..=true;
        /// Let the kept miner of the best AUC stand for all whose values are like its, and split what it earns.
        collapse_clones: bool = false, in false..=true;
        /// Absolute rank correlation of values from which two miners are alike.
        clone_correlation: f64 = 0.6, in 0.05..=1.0;
        /// Rows that one of two alike miners may be late.
        clone_lag_rows: usize = 5, in 0..=1_000;
    }
}
