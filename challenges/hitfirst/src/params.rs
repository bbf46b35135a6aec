//! Every constant of the challenge.

use mantis_plugin_api::params;

params! {
    /// Parameters of `hitfirst`; the defaults are the network's.
    pub struct Params {
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
    }
}
