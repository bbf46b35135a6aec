//! Every constant of the challenge.

use mantis_kit::pooled::PooledParams;
use mantis_plugin_api::params;

params! {
    /// Parameters of `funding`; the defaults are the network's.
    pub struct Params {
        ..pooled: PooledParams;
        /// Least rows between what a model knows and what it is asked; never less than the horizon.
        embargo_rows: usize = 60, in 0..=1_000_000;
        /// How far a paired row may be off the horizon, as a part of it.
        pair_tolerance: f64 = 0.15, in 0.0..=1.0;
        /// A miner's numbers for an asset count as absent when their standard deviation is below this.
        stale_std: f64 = 1e-4, in 0.0..=1.0;
        /// Distinct numbers that the model for the selection needs.
        min_distinct: usize = 5, in 0..=100_000;
    }
}
