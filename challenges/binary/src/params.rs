//! Every constant of the challenge.

use mantis_kit::kin::KinParams;
use mantis_plugin_api::{Choice, params};

params! {
    /// Parameters of `binary`; the defaults are the network's.
    pub struct Params {
        ..kin: KinParams;
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
        /// Where the network's solver stops the models of single miners: norm of the gradient, relative to the start.
        base_tol: f64 = 1e-3, in 1e-12..=1.0;
        /// Steps at which the network's solver stops the models of single miners.
        base_max_iter: usize = 100, in 1..=100_000;
        /// Present rows that a fit needs, of the ensemble too.
        min_fit_rows: usize = 50, in 2..=1_000_000;
        /// What the AUC of a miner is of: the second half of the rows, or days, by models that are renewed every few days.
        select: String = "half".into(), in Choice(&["half", "daily"]);
        /// Present rows of the second half that an AUC needs.
        min_eval_rows: usize = 20, in 2..=1_000_000;
        /// Miners that are kept, by AUC.
        top_k: usize = 50, in 1..=4_096;
        /// A kept miner's AUC must be above this.
        min_auc: f64 = 0.5, in 0.0..=1.0;
        /// Daily selection: rows of a day.
        select_day: usize = 1_440, in 2..=100_000;
        /// Daily selection: days before the first model; half of all rows if they are fewer.
        select_first_days: usize = 15, in 1..=1_000;
        /// Daily selection: days after which a miner's model is renewed.
        select_refit_days: usize = 5, in 1..=1_000;
        /// Daily selection: days that a model is fitted on.
        select_fit_days: usize = 30, in 1..=1_000;
        /// Daily selection: age in days at which a day counts half.
        select_halflife_days: f64 = 15.0, in 0.001..=100_000.0;
        /// Daily selection: rows with a value that a day needs.
        select_min_rows: usize = 80, in 2..=100_000;
        /// Daily selection: days with an AUC that a miner needs.
        select_min_windows: usize = 5, in 1..=100_000;
        /// Daily selection: miners after the first `top_k` are kept too while their AUC is at most so much lower than that of
        /// the last of these.
        select_margin: f64 = 0.005, in 0.0..=1.0;
        /// Daily selection: how many of them at most.
        select_extra: usize = 15, in 0..=4_096;
        /// Rows of a walk-forward segment.
        segment_rows: usize = 4_000, in 10..=10_000_000;
        /// Rows at a segment's start that get no value, so that no training label reaches into them.
        embargo_rows: usize = 60, in 0..=1_000_000;
        /// Inverse penalty of the ensemble.
        meta_c: f64 = 1.0, in 1e-6..=1e6;
        /// Share of L1 in the ensemble's elastic net.
        meta_l1_ratio: f64 = 0.5, in 0.0..=1.0;
        /// Replicates of the block bootstrap over which the ensemble's coefficients are taken; with 0 there is one fit.
        meta_bootstrap: u32 = 0, in 0..=1_000;
        /// Rows per block of the bootstrap.
        meta_block: usize = 120, in 1..=1_000_000;
        /// Groups of the median of means over the replicates.
        meta_groups: usize = 4, in 1..=1_000;
        /// Seed of the bootstrap, and of the order in which the network's solver visits rows.
        meta_seed: u32 = 42, in 0..=u32::MAX;
        /// Where the network's solver stops the ensemble: change of a coefficient, relative to the largest.
        meta_tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Passes at which the network's solver stops the ensemble where there is one fit.
        meta_max_iter: usize = 2_000, in 1..=100_000;
        /// Passes at which the network's solver stops a replicate of the bootstrap.
        meta_bootstrap_max_iter: usize = 800, in 1..=100_000;
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
