//! What a checked `challenges.toml` says.

use super::fault::Places;
use mantis_plugin_api::{ParamMap, Solver, Spec};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// A whole `challenges.toml`, checked. Made by [`Config::load`] or [`Config::parse`] alone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Folder of the plugins: `plugin_dir`, taken from the file's own folder.
    pub plugin_dir: PathBuf,
    /// Where model fits stop, in challenges that do not say.
    pub solver: Solver,
    /// Form in which plugins run, in challenges that do not say.
    pub runtime: Runtime,
    /// MiB of memory that one instance of a WebAssembly plugin may hold, 16 to 4095.
    pub wasm_memory_mib: u32,
    /// `[network]`: constants of the subnet.
    pub network: Network,
    /// `[beacon]`: the time-lock's beacon.
    pub beacon: Beacon,
    /// `[market]`: the price feed.
    pub market: MarketFeed,
    /// `[collect]`: what may be fetched from miners.
    pub collect: Collect,
    /// `[datalog]`: a published ledger to begin with.
    pub datalog: Option<Datalog>,
    /// `[[challenge]]`, in the order of the file; never empty.
    pub challenges: Vec<Challenge>,
    /// Lines of each challenge's keys.
    pub(super) places: Vec<Places>,
}

/// Constants of the subnet.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The subnet's number.
    pub netuid: u16,
    /// The version that our weights carry; the chain refuses them below the subnet's own.
    pub version_key: u64,
    /// Blocks between two rows, at least 1.
    pub sample_every: u32,
    /// Rows between a sample and its opening.
    pub lag: u32,
    /// Blocks that scoring stays behind the newest one.
    pub task_interval: u32,
    /// Blocks between two computations of weights.
    pub weight_calc_interval: u32,
    /// Blocks between two submissions of weights.
    pub weight_set_interval: u32,
    /// Share of the weights that goes to `burn_uid`, 0 to 1.
    pub burn: f64,
    /// The UID that is given the burn.
    pub burn_uid: u16,
    /// Days of history that are scored.
    pub max_days: u32,
    /// Share of the new weights in the smoothed ones, above 0 to 1.
    pub ema: f64,
    /// Seed of whatever is drawn.
    pub seed: u64,
    /// X25519 public key of the subnet's owner.
    pub owner_key: [u8; 32],
    /// Blocks after its first prediction for which a hotkey is young.
    pub young_blocks: u32,
    /// Weight of a young hotkey, 0 to 1.
    pub young_weight: f64,
    /// Sampled blocks that a ledger must hold before weights are computed.
    pub min_sampled: u32,
}

/// The beacon whose signatures open time-locked payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// Bases of its API, tried in order: `{base}/beacons/quicknet/rounds/N`. Never empty, no trailing slash.
    pub api: Vec<String>,
    /// Its public key: a compressed G2 point of BLS12-381.
    pub public_key: [u8; 96],
    /// Unix time of round 1, s.
    pub genesis: u64,
    /// Time between two rounds, s; at least 1.
    pub period: u64,
}

/// The price feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketFeed {
    /// Where its JSON document lies; without it no prices are fetched.
    pub url: Option<String>,
    /// Time for the whole document.
    pub timeout: Duration,
    /// Largest document, bytes.
    pub max_bytes: u64,
}

/// A published ledger to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datalog {
    /// Where the file lies.
    pub url: String,
    /// SHA-256 that it must have.
    pub sha256: Option<[u8; 32]>,
}

/// What may be fetched from miners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    /// Hosts: one that begins with a dot allows every host that ends with it, any other only the host of that name.
    pub hosts: Vec<String>,
    /// Largest payload, bytes.
    pub max_bytes: u64,
    /// What becomes of a file that is served unchanged.
    pub stale: Stale,
    /// Whether plain http to this machine's loopback addresses is allowed, on any port: for a network on one machine.
    pub allow_loopback: bool,
    /// Files fetched at the same time, at least 1.
    pub parallel: usize,
    /// Time to find the host and connect to it.
    pub connect_timeout: Duration,
    /// Longest silence of a server that is sending.
    pub idle_timeout: Duration,
    /// Time for one file, from its lookup to its last byte.
    pub timeout: Duration,
    /// Time for the files of one sampled block together.
    pub round_timeout: Duration,
    /// Bytes that the files of one sampled block may take together.
    pub round_bytes: u64,
}

/// What becomes of a payload that was seen before, or whose round was out when it was sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stale {
    /// Taken, counted and shown.
    #[default]
    Count,
    /// Refused.
    Refuse,
}

/// One `[[challenge]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Challenge {
    /// Unique, for people: `ETH-1H-BINARY`.
    pub name: String,
    /// Unique key in the ledger and in submissions: `ETH`.
    pub ticker: String,
    /// Name of the plugin that labels and scores it.
    pub plugin: String,
    /// Form in which the plugin runs.
    pub runtime: Runtime,
    /// Where model fits stop.
    pub solver: Solver,
    /// SHA-256 that the plugin's file must have.
    pub sha256: Option<[u8; 32]>,
    /// The price in the feed that a single-asset challenge is labelled from; `None` where it has assets.
    pub price_key: Option<String>,
    /// Assets in storage order, unique; empty for a single-asset challenge.
    pub assets: Vec<String>,
    /// What of the market feed is stored for it; prices for a single-asset challenge.
    pub quotes: QuoteKind,
    /// Ticker of the challenge whose stored prices label this one, where they are not its own.
    pub prices_from: Option<String>,
    /// Numbers per miner and asset, 1 to 4096.
    pub dim: usize,
    /// Horizon in blocks, a multiple of `sample_every`; 0 where the plugin has none.
    pub blocks_ahead: u32,
    /// What it counts for.
    pub weight: Weight,
    /// Parameters for the plugin, not yet judged by it.
    pub params: ParamMap,
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

/// What a challenge counts for in the total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// `weight`: finite, not negative; relative to the other weights.
    Fixed(f64),
    /// `share`: this part of the sum of all weights, between 0 and 1, whatever the others are.
    Share(f64),
}

/// The form in which a plugin runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// A shared library.
    #[default]
    Native,
    /// A WebAssembly component.
    Wasm,
}

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

impl Runtime {
    /// The word for it in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
        }
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::Fixed(0.0)
    }
}
