//! What the host tells a plugin about its challenge, and what a plugin tells the host about itself.

use crate::ParamTable;
use serde::{Deserialize, Serialize};

/// One challenge as `challenges.toml` declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Unique name, for people: `ETH-1H-BINARY`.
    pub name: String,
    /// Unique key in the ledger and in submissions: `ETH`.
    pub ticker: String,
    /// Numbers per miner and asset.
    pub dim: usize,
    /// Assets in storage order; empty for a single-asset challenge.
    pub assets: Vec<String>,
    /// Horizon in blocks of 12 s; 0 where the plugin has none.
    pub blocks_ahead: u32,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Seed of whatever is drawn.
    pub seed: u64,
    /// Where model fits stop.
    pub solver: Solver,
}

impl Spec {
    /// Numbers stored per miner and row: `dim`, times the assets if there are any.
    #[must_use]
    pub fn storage_dim(&self) -> usize {
        self.dim * self.assets.len().max(1)
    }

    /// Horizon in rows.
    #[must_use]
    pub fn rows_ahead(&self) -> usize {
        (self.blocks_ahead / self.sample_every.max(1)) as usize
    }
}

/// Where model fits stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// At the optimum.
    #[default]
    Exact,
    /// Where the network's scorer stops.
    Network,
}

/// A plugin's own words about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The plugin's name: what `plugin = "..."` refers to.
    pub name: String,
    /// Its version (semver).
    pub version: String,
    /// One sentence: what it pays for.
    pub summary: String,
    /// Its parameters.
    pub params: ParamTable,
}

impl Description {
    /// A description without parameters.
    pub fn new(name: impl Into<String>, version: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), summary: summary.into(), params: Vec::new() }
    }

    /// Adds the table of parameters that [`crate::params!`] makes.
    #[must_use]
    pub fn with_params(mut self, params: ParamTable) -> Self {
        self.params = params;
        self
    }
}
