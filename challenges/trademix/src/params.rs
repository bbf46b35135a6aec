//! Every constant of the challenge.

use mantis_plugin_api::params;

params! {
    /// Parameters of `trademix`; the defaults are the network's.
    pub struct Params {
        /// Rows that are needed, and the newest so many that are scored: 30 days.
        window_rows: usize = 43_200, in 240..=10_000_000;
        /// Cost of changing a position by 1, as a part of it.
        fee: f64 = 0.002, in 0.0..=1.0;
        /// Rebalances of one day; the horizon is one rebalance.
        rebalances_per_day: f64 = 24.0, in 0.001..=100_000.0;
        /// Rebalances below which luck cannot be told from skill.
        min_rebalances: usize = 10, in 2..=1_000_000;
        /// Standard deviation of daily Sharpe ratios among miners, before anything is known of one.
        prior_std: f64 = 0.4, in 1e-6..=1e6;
        /// Probability of skill that a miner needs.
        min_skill: f64 = 0.65, in 0.0..=1.0;
        /// Cosine from which two miners' positions are duplicates.
        duplicate_cosine: f64 = 0.95, in 0.0..=1.0;
        /// Walk-forward folds.
        folds: usize = 5, in 1..=1_000;
        /// Least rows of a fold, and of what is before the first.
        min_fold_rows: usize = 120, in 2..=1_000_000;
        /// Rows with all returns that a fold must be trained on.
        min_train_rows: usize = 100, in 2..=10_000_000;
        /// Rows with a return that a correlation needs.
        min_corr_rows: usize = 30, in 2..=10_000_000;
        /// Miners that are paid, by salience.
        top_k: usize = 50, in 1..=4_096;
    }
}
