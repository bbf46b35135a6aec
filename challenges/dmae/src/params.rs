//! Every constant of the challenge.

use mantis_plugin_api::{Choice, PluginError, params};

params! {
    /// Parameters of `dmae`.
    pub struct Params {
        /// Rows that are scored at most, counted back from the newest; only those of the grid are counted.
        max_rows: usize = 17_280, in 2..=1_000_000;
        /// Rows of the grid below which no miner is paid.
        min_rows: usize = 1_440, in 2..=1_000_000;
        /// Sampled blocks between two rows of the grid.
        stride: usize = 5, in 1..=1_000;
        /// Rows of a chunk, after which the models take one step; times `stride`, it is not below the horizon.
        chunk_rows: usize = 60, in 1..=1_000;
        /// A price unchanged for more rows is frozen, and its rows are left out.
        freeze_limit: usize = 15, in 0..=10_000_000;
        /// Largest size of a target, in per cent.
        clip: f64 = 10.0, in 0.001..=1_000.0;
        /// Rows of the grid after which a miner that sends the same counts as absent until that changes; 0: never.
        max_unchanged: usize = 0, in 0..=1_000_000;
        /// Step of the models.
        learning_rate: f64 = 1e-3, in 1e-8..=0.1;
        /// Part of the chunks, the first ones, in which losses do not count.
        warm_up: f64 = 0.25, in 0.0..=0.9;
        /// Groups, or miners where pay is "alone", that a model is trained without; 0: all.
        screen: usize = 64, in 0..=4_096;
        /// What is paid: what the market loses without a "group" of miners that contribute alike, or without a miner "alone".
        pay: String = "group".into(), in Choice(&["group", "alone"]);
        /// Correlation of what a miner's numbers tell of another's contribution with that, from which on it is in its group.
        alike: f64 = 0.5, in 0.0..=0.999;
        /// How a group shares: by "senior", each is paid what it adds to those who came before it; "equal", all by the size
        /// of their contributions.
        share: String = "senior".into(), in Choice(&["senior", "equal"]);
        /// t from which on a loss counts as such.
        t_min: f64 = 2.0, in 0.0..=100.0;
    }
}

impl Params {
    /// Refuses what does not fit together.
    pub(crate) fn check(&self, rows_ahead: usize) -> Result<(), PluginError> {
        let fault = |key: &str, found: String, allowed: &str| {
            Err(PluginError::Parameter { key: key.into(), found, allowed: allowed.into() })
        };
        if self.chunk_rows * self.stride < rows_ahead {
            let found = format!(
                "{} rows, one in {} blocks, span {} sampled blocks; the horizon is {rows_ahead}",
                self.chunk_rows,
                self.stride,
                self.chunk_rows * self.stride
            );
            return fault("chunk_rows", found, "at least the horizon divided by stride");
        }
        if self.min_rows > self.max_rows {
            let found = format!("{} is above max_rows, {}", self.min_rows, self.max_rows);
            return fault("min_rows", found, "at most max_rows");
        }
        Ok(())
    }
}
