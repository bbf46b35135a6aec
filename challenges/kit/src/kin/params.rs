//! The parameters of clones and cohorts.

use mantis_plugin_api::{Choice, params};

params! {
    /// How clones and cohorts are found. By default they are not looked for; the other defaults are the network's.
    pub struct KinParams {
        /// Pool the pay of clones and of cohorts.
        clones: String = "off".into(), in Choice(&["off", "on"]);
        /// Rows that are compared at most, counted back from the newest, with a label or without.
        clone_scan_rows: usize = 100_000, in 1..=10_000_000;
        /// Two miners' numbers of a row are the same if all differ by less than this.
        clone_eps: f64 = 1e-3, in 0.0..=1e6;
        /// Share of the rows that two miners have in common which must be the same for them to be clones.
        clone_match: f64 = 0.99, in 0.0..=1.0;
        /// Rows that a miner must be there in to be a clone.
        clone_min_rows: usize = 200, in 1..=10_000_000;
        /// Rows that two clones must have in common.
        clone_min_joint: usize = 200, in 1..=10_000_000;
        /// Largest difference between the means of two clones, in each of their numbers.
        clone_mean: f64 = 0.05, in 0.0..=1e6;
        /// Which clone is paid for its group: the one of the smallest hotkey, or the one that was there first.
        clone_representative: String = "smallest".into(), in Choice(&["smallest", "first"]);
        /// Absolute correlation that all members of a cohort have with each other.
        cohort_corr: f64 = 0.92, in 0.0..=1.0;
        /// Rows that a miner must be there in to be in a cohort.
        cohort_min_rows: usize = 200, in 1..=10_000_000;
    }
}
