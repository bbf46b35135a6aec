//! Every constant of pay by evidence.

use mantis_plugin_api::{Each, PluginError, params};

params! {
    /// Parameters of `mechanism = "evidence"`; the defaults are the network's of July 2026.
    pub struct EvidenceParams {
        /// Newest rows with a price that are looked at: 300 days (evidence).
        max_rows: usize = 432_000, in 1..=100_000_000;
        /// Blocks between two marks of the panel: an hour (evidence).
        panel_blocks: u32 = 300, in 1..=10_000_000;
        /// A row may be late for its mark by one so many-th of what lies between two marks (evidence).
        panel_late: usize = 6, in 2..=1_000_000;
        /// Hours of the panel below which all is burned (evidence).
        min_hours: usize = 288, in 2..=10_000_000;
        /// Hours over which returns are summed that a relative book is measured against (evidence).
        horizons: Vec<usize> = vec![12, 24, 48], in Each(1..=100_000, 1..=16);
        /// What each of `horizons` weighs (evidence).
        blend: Vec<f64> = vec![0.25, 0.5, 0.25], in Each(0.0..=1.0, 1..=16);
        /// The same hours for market books (evidence).
        market_horizon: usize = 24, in 1..=100_000;
        /// Hours of returns behind the weights of assets in the market (evidence).
        vol_window: usize = 720, in 2..=10_000_000;
        /// Hours of returns behind the betas of assets (evidence).
        beta_window: usize = 1_440, in 2..=10_000_000;
        /// How far a beta is drawn to 1 (evidence).
        beta_shrink: f64 = 0.3, in 0.0..=1.0;
        /// Hours for which weights and betas are held (evidence).
        refresh: usize = 24, in 1..=1_000_000;
        /// Hours before weights and betas are first measured; returns after them count (evidence).
        warmup: usize = 120, in 2..=10_000_000;
        /// Least shift that is part of the null, in hours, either way (evidence).
        min_shift: usize = 96, in 1..=5_000_000;
        /// Least probability that the null may give a miner (evidence).
        min_p: f64 = 1e-12, in 0.0..=1.0;
        /// Falsely discovered miners among those who pass the gate, as a part of them (evidence).
        fdr: f64 = 0.05, in 0.0..=1.0;
        /// Hours of the panel since a miner's first position that it needs, and in which attendance is measured (evidence).
        probation_hours: usize = 504, in 1..=10_000_000;
        /// Part of those hours in which it needs a position (evidence).
        probation_coverage: f64 = 0.9, in 0.0..=1.0;
        /// Deviation from which a relative book is one (evidence).
        min_std: f64 = 1e-4, in 0.0..=1.0;
        /// Absolute cosine of two relative books from which the one of who came first is taken out of the other (evidence).
        seniority_cosine: f64 = 0.20, in 0.0..=1.0;
        /// Times that the books of seniors are taken out, one after another. Once is the network's, and leaves part of a
        /// combination of seniors whose books overlap a little; several times leave less and less of it (evidence).
        seniority_passes: usize = 1, in 1..=100;
        /// A relative book that seniors leave no larger part of than this is nothing: what rounding leaves of a combination
        /// of theirs would be measured otherwise (evidence). 0 is the network's; 1e-9 closes it.
        seniority_floor: f64 = 0.0, in 0.0..=1.0;
        /// Evidence is none where the null deviates by no more than this part of what the book and the returns could
        /// give together: rounding would be measured otherwise (evidence). 0 is the network's; 1e-9 closes it.
        null_floor: f64 = 0.0, in 0.0..=1.0;
        /// Cosine of two relative books from which they are duplicates (evidence).
        dedup_cosine: f64 = 0.95, in 0.0..=1.0;
        /// Newest hours that cosines are over (evidence).
        dedup_window: usize = 720, in 1..=10_000_000;
        /// Evidence that softplus is centred at (evidence).
        softplus_shift: f64 = 2.0, in -1e6..=1e6;
        /// Newest hours that profits are over (evidence).
        pay_window: usize = 720, in 1..=10_000_000;
        /// Newest hours that pay goes by attendance in (evidence).
        coverage_window: usize = 720, in 1..=10_000_000;
        /// Part of the pay that is for relative books; the rest is for market books (evidence).
        relative_share: f64 = 0.75, in 0.0..=1.0;
        /// Most that one miner takes of either part (evidence).
        miner_cap: f64 = 0.20, in 0.0..=1.0;
        /// Saliences up to this are dropped (evidence).
        dust: f64 = 1e-9, in 0.0..=1.0;
    }
}

impl EvidenceParams {
    /// Hours below which all is burned: also without a shift in the null.
    pub(crate) fn needed_hours(&self) -> usize {
        self.min_hours.max(2 * self.min_shift)
    }

    /// Refuses horizons that do not each have a weight.
    ///
    /// # Errors
    /// [`PluginError::Parameter`] if there are more or fewer weights.
    pub(crate) fn require_blend(&self) -> Result<(), PluginError> {
        if self.blend.len() == self.horizons.len() {
            return Ok(());
        }
        Err(PluginError::Parameter {
            key: "blend".into(),
            found: format!("a list of {}", self.blend.len()),
            allowed: format!("a list of {}, one number for each of `horizons`", self.horizons.len()),
        })
    }
}
