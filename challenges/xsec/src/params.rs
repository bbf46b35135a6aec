//! Every constant of the challenge.

use mantis_kit::pooled::PooledParams;
use mantis_plugin_api::params;

params! {
    /// Parameters of `xsec`; the defaults are the network's.
    pub struct Params {
        ..pooled: PooledParams;
        /// Rows between what a model knows and what it is asked.
        embargo_rows: usize = 60, in 0..=1_000_000;
    }
}
