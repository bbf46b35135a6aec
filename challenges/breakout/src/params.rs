//! Every constant of the challenge.

use mantis_plugin_api::params;

params! {
    /// Parameters of `breakout`; the defaults are the network's.
    pub struct Params {
        /// Rows that are replayed at most, counted back from the newest.
        max_rows: usize = 432_000, in 1_000..=10_000_000;
        /// Blocks that the range looks back.
        range_lookback_blocks: u32 = 28_800, in 5..=10_000_000;
        /// Rows with a price that a range needs.
        min_range_rows: usize = 2_880, in 1..=10_000_000;
        /// Width that a range needs, as a part of the price.
        min_range_pct: f64 = 0.01, in 0.0..=1.0;
        /// Distance of the barriers from the price that broke out, as a part of the range's width.
        barrier_pct: f64 = 0.25, in 1e-6..=100.0;
        /// Blocks after which an unresolved breakout is dropped.
        max_pending_blocks: u32 = 43_200, in 1..=100_000_000;
        /// Rows after which the live state forgets a breakout that is over: 60 days, for which prices are stored, and 10
        /// more.
        completed_rows: u32 = 100_800, in 1..=10_000_000;
        /// Events below which no miner is paid.
        min_events: usize = 50, in 2..=1_000_000;
        /// A gap of more rows than this between two events starts a new episode.
        episode_gap_rows: u32 = 1_440, in 1..=10_000_000;
        /// Episodes that a miner must have answered in.
        min_episodes: usize = 2, in 1..=1_000_000;
        /// Standard deviation that a miner's answers must have.
        min_std: f64 = 0.03, in 0.0..=1.0;
        /// A miner's AUC over its events must be above this.
        min_auc: f64 = 0.5, in 0.0..=1.0;
        /// Inverse penalty of the model.
        c: f64 = 0.01, in 1e-6..=1e6;
        /// Coefficients are dropped up to this part of their sum.
        min_share: f64 = 1e-6, in 0.0..=1.0;
        /// Largest gradient at which the network's solver stops.
        tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Iterations at which the network's solver stops.
        max_iter: usize = 1_000, in 1..=100_000;
        /// Treat miners whose answers correlate at least by `clone_correlation` as one, and split what it earns.
        /// The penalty is so strong for so few events that clones together earn more without this.
        collapse_clones: bool = false, in false..=true;
        /// Correlation from which two miners are clones.
        clone_correlation: f64 = 0.98, in 0.0..=1.0;
    }
}
