//! Every constant of the challenge.

use mantis_kit::kin::KinParams;
use mantis_plugin_api::params;

params! {
    /// Parameters of `hitfirst`; the defaults are the network's.
    pub struct Params {
        ..kin: KinParams;
        /// Rows that are scored at most, counted back from the newest.
        max_rows: usize = 432_000, in 1_000..=10_000_000;
        /// Rows, and labelled rows, below which no miner is paid.
        min_rows: usize = 7_200, in 2..=10_000_000;
        /// Returns in the window of the rolling standard deviation.
        sigma_rows: usize = 7_200, in 2..=10_000_000;
        /// Distance of the barriers in standard deviations.
        sigmas: f64 = 1.0, in 0.001..=1_000.0;
        /// Inverse penalty of the models.
        c: f64 = 1.0, in 1e-6..=1e6;
        /// Largest gradient at which the network's solver stops.
        tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Iterations at which the network's solver stops.
        max_iter: usize = 500, in 1..=100_000;
        /// Blocks of the labelled rows, one after the other, each of which is left out of a fit of its own: a miner is paid
        /// for the mean size of its coefficients over these. With 0, one fit over all rows takes their place. Has no effect
        /// where `held_out_blocks` is above 0.
        leave_out_blocks: usize = 0, in 0..=100;
        /// Share of the labelled rows that a miner must have sent something in.
        min_coverage: f64 = 0.0, in 0.0..=1.0;
        /// Bring each miner's log-odds to one scale before the models: over the rows in which it is there by mean and
        /// deviation, then over all rows. Without this, small log-odds earn most.
        standardise: bool = false, in false..=true;
        /// Blocks of rows that are held out, one after the other, from the models: a miner is paid for what its part in
        /// them gains on the rows held out. With 0, it is paid for its coefficients in one fit over all rows.
        held_out_blocks: usize = 0, in 0..=1_000;
        /// Let the best of the miners that are alike stand for them, and split what it earns.
        collapse_clones: bool = false, in false..=true;
        /// Absolute rank correlation of log-odds from which two miners are alike.
        clone_correlation: f64 = 0.6, in 0.05..=1.0;
        /// Rows that one of two alike miners may be late.
        clone_lag_rows: usize = 5, in 0..=1_000;
    }
}
