//! `[[challenge]]`.

use super::runtime::{RUNTIME, SOLVER};
use super::weight::WeightOrShare;
use super::{Network, Runtime, Weight};
use crate::kinds::{
    ASSET, AssetsOrName, Hex, ListOf, NAME, Optional, PLUGIN, ParamsOrName, SIDE_FILE, TICKER, Words,
};
use crate::section::{Section, section};
use mantis_plugin_api::{ParamMap, Solver, Spec, Storage};

section! {
    /// One `[[challenge]]`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Challenge {
        /// What people call it: `ETH-1H-BINARY`; also a key of submissions. Unique among names and tickers.
        name: String, in NAME;

        /// Its key in the ledger and in submissions: `ETH`. Unique among names and tickers.
        ticker: String, in TICKER;

        /// Name of the plugin that labels and scores it.
        plugin: String, in PLUGIN;

        /// Form in which the plugin runs.
        runtime: Runtime, else "the file's", in RUNTIME;

        /// Where its model fits stop.
        solver: Solver, else "the file's", in SOLVER;

        /// SHA-256 that the plugin's file must have, in the form that runs; `mantis challenges --json` prints it.
        sha256: Option<[u8; 32]> = None, in Optional(Hex);

        /// The price in the feed that a single-asset challenge is labelled from; none beside `assets`.
        price_key: Option<String>, else "the ticker", in Optional(ASSET);

        /// Assets of a multi-asset challenge, in the order of storage; empty for a single-asset one.
        assets: Vec<String>, else "none", in AssetsOrName;

        /// What of the market feed is stored for it: `"funding_rates"` needs `assets`; not beside `prices_from`.
        quotes: QuoteKind = QuoteKind::Prices, in QUOTES;

        /// Ticker of the challenge whose stored prices label this one: it has prices of its own, and all these assets.
        prices_from: Option<String>, else "its own", in Optional(TICKER);

        /// Numbers of the feed's `prices` that are stored beside the price, such as a minute's high and low, in the order in
        /// which the plugin is given them; not beside `prices_from`.
        channels: Vec<String>, else "none", in ListOf(ASSET);

        /// Lists of facts that the plugin is given: names of `[[facts]]`.
        facts: Vec<String>, else "none", in ListOf(NAME);

        /// How numbers are stored: `"f16"`, in half precision; `"f32"`, in single precision.
        storage: Storage = Storage::F16, in STORAGE;

        /// File that its rows lie in, in the ledger's folder; without it, in the ledger.
        file: Option<String> = None, in Optional(SIDE_FILE);

        /// Rows that are kept, and given to the plugin; without it, those of `max_days`.
        history_rows: Option<u32> = None, in Optional(1_000..=10_000_000_u32);

        /// Numbers per miner and asset.
        dim: usize, in 1..=4096;

        /// Horizon in blocks, a multiple of `sample_every`; 0 for events without one.
        blocks_ahead: u32 = 0, in 0..=10_000_000;

        /// What it counts for: `weight` relative to the other weights, which are not all 0; or `share`, its part of
        /// the sum of all weights, however the others change. Shares sum to less than 1.
        weight | share: Weight, in WeightOrShare;

        /// Parameters for the plugin, which judges them; in the table `[challenge.params]`, or by their name.
        /// TOML dates, `nan` and `inf` are refused.
        params: ParamMap, else "none", in ParamsOrName;
    }
}

/// What of the market feed a challenge stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuoteKind {
    /// `prices`: those above 0.
    #[default]
    Prices,
    /// `funding_rates`: of either sign.
    FundingRates,
}

const STORAGE: Words<Storage> = Words(&[("f16", Storage::F16), ("f32", Storage::F32)]);

const QUOTES: Words<QuoteKind> =
    Words(&[("prices", QuoteKind::Prices), ("funding_rates", QuoteKind::FundingRates)]);

impl Challenge {
    /// What its plugin is told, with fits that stop at `solver` (its own, unless the command line says otherwise).
    #[must_use]
    pub fn spec(&self, network: &Network, solver: Solver) -> Spec {
        Spec {
            name: self.name.clone(),
            ticker: self.ticker.clone(),
            dim: self.dim,
            assets: self.assets.clone(),
            blocks_ahead: self.blocks_ahead,
            sample_every: network.sample_every,
            seed: network.seed,
            solver,
            storage: self.storage,
            channels: self.channels.clone(),
            facts: self.facts.clone(),
            targets: false,
            fit: false,
        }
    }

    /// Ticker under which the ledger holds the prices that label it.
    #[must_use]
    pub fn price_ticker(&self) -> &str {
        self.prices_from.as_deref().unwrap_or(&self.ticker)
    }

    /// Numbers stored per miner and row: `dim`, times the assets if there are any.
    #[must_use]
    pub fn storage_dim(&self) -> usize {
        self.dim * self.assets.len().max(1)
    }
}

impl Default for Challenge {
    fn default() -> Self {
        Self::absent()
    }
}
