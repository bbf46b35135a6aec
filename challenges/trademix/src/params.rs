//! Every constant of the challenge.

use crate::EvidenceParams;
use mantis_plugin_api::{Choice, params};

params! {
    /// Parameters of `trademix`; the defaults are the network's.
    pub struct Params {
        ..evidence: EvidenceParams;
        /// What miners are paid by: "desk", what a desk that mixes positions loses without each miner's; "evidence" of
        /// foresight in each one's own, what is not earned being burned. Parameters marked (evidence) are of that one, the
        /// others of the desk; the fee is of both.
        mechanism: String = "desk".into(), in Choice(&["desk", "evidence"]);
        /// Rows that are needed, and the newest so many that are scored: 30 days.
        window_rows: usize = 43_200, in 240..=10_000_000;
        /// Cost of changing a position by 1, as a part of it. With evidence the network takes 0.001.
        fee: f64 = 0.002, in 0.0..=1.0;
        /// Rebalances of one day; the horizon is one rebalance.
        rebalances_per_day: f64 = 24.0, in 0.001..=100_000.0;
        /// What tells skill from luck: "shrunk_sharpe" is the probability that the Sharpe ratio is above zero under a
        /// prior around zero, "block_bootstrap" the share of resampled profits whose mean is above zero.
        luck_filter: String = "shrunk_sharpe".into(), in Choice(&["shrunk_sharpe", "block_bootstrap"]);
        /// Rebalances below which luck cannot be told from skill.
        min_rebalances: usize = 10, in 2..=1_000_000;
        /// Standard deviation of daily Sharpe ratios among miners, before anything is known of one (shrunk_sharpe).
        prior_std: f64 = 0.4, in 1e-6..=1e6;
        /// Resamples of a miner's profits (block_bootstrap).
        bootstrap_replicates: u64 = 1_000, in 1..=100_000;
        /// Rebalances of one block of a resample; there must be two blocks (block_bootstrap).
        bootstrap_block: usize = 24, in 1..=1_000_000;
        /// Probability of skill that a miner needs.
        min_skill: f64 = 0.65, in 0.0..=1.0;
        /// Cosine from which two miners' positions are duplicates.
        duplicate_cosine: f64 = 0.95, in 0.0..=1.0;
        /// Treat as duplicates also miners whose positions are alike by their correlation, whatever their mean: with noise,
        /// of the other sign, or some rows late.
        collapse_clones: bool = false, in false..=true;
        /// Absolute rank correlation from which two miners are alike.
        clone_correlation: f64 = 0.6, in 0.05..=1.0;
        /// Rows that one of two alike miners may be late.
        clone_lag_rows: usize = 5, in 0..=1_000;
        /// Walk-forward folds.
        folds: usize = 5, in 1..=1_000;
        /// Least rows of a fold, and of what is before the first.
        min_fold_rows: usize = 120, in 2..=1_000_000;
        /// Rows with all returns that a fold must be trained on.
        min_train_rows: usize = 100, in 2..=10_000_000;
        /// How the desk mixes positions: "skillw" by their correlation with returns, "gbdt" by boosted regression
        /// trees, "moe" by a gated mixture of experts.
        meta_model: String = "skillw".into(), in Choice(&["skillw", "gbdt", "moe"]);
        /// Rows with a return that a correlation needs (skillw).
        min_corr_rows: usize = 30, in 2..=10_000_000;
        /// Trees (gbdt).
        gbdt_trees: usize = 40, in 1..=10_000;
        /// Splits from a tree's root to its leaves (gbdt).
        gbdt_depth: u32 = 2, in 1..=8;
        /// Part of each tree's step that is taken (gbdt).
        gbdt_learning_rate: f64 = 0.1, in 1e-6..=1.0;
        /// Least samples of a leaf (gbdt).
        gbdt_min_leaf: usize = 20, in 1..=1_000_000;
        /// Bins of positions, of about as many samples each (gbdt).
        gbdt_bins: usize = 16, in 2..=256;
        /// Rows between two samples that trees learn from: returns of neighbouring rows say nearly the same (gbdt).
        gbdt_every: usize = 30, in 1..=1_000_000;
        /// Half-life of an expert's record, in days (moe).
        moe_half_life_days: f64 = 10.0, in 0.001..=100_000.0;
        /// How sharply the gate turns to the better experts: their weights are as the exponentials of this times their
        /// recent correlation with returns (moe).
        moe_rate: f64 = 10.0, in 0.0..=300.0;
        /// Miners that are paid, by salience.
        top_k: usize = 50, in 1..=4_096;
    }
}

/// The parameter `mechanism` as what it chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Desk,
    Evidence,
}

impl Params {
    /// The mechanism that is chosen.
    pub(crate) fn mechanism(&self) -> Mechanism {
        match self.mechanism.as_str() {
            "evidence" => Mechanism::Evidence,
            _ => Mechanism::Desk,
        }
    }
}
