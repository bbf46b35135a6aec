//! What the host tells a plugin about its challenge.

use crate::PluginError;
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
    /// Horizon in blocks of 12 s; 0 if the plugin has none.
    pub blocks_ahead: u32,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Seed of all random draws.
    pub seed: u64,
    /// How far model fits go.
    pub solver: Solver,
    /// How miners' numbers are stored. Since contract 1.1.
    #[serde(default, skip_serializing_if = "Storage::is_f16")]
    pub storage: Storage,
    /// Channels of the feed that are stored beside the price, in order: [`Market::channel`](crate::Market::channel)
    /// gives them. Since contract 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Names of the lists of facts that the challenge is given: [`Market::facts`](crate::Market::facts). Since
    /// contract 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// Whether a score is to give the [`Targets`](crate::Targets) of its labels and nothing else: what [`crate::export!`]
    /// makes of a challenge does. Since contract 1.1.
    #[serde(default, skip_serializing_if = "is_false")]
    pub targets: bool,
    /// Whether a score is to give the fitted ensemble beside its saliences, where the challenge forecasts. Since contract 1.1.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fit: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_false(x: &bool) -> bool {
    !*x
}

/// How miners' numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// In half precision, 2 bytes a number.
    #[default]
    F16,
    /// In single precision, 4 bytes a number.
    F32,
}

impl Storage {
    /// The word for it in `challenges.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }

    /// Bytes of a number.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
    fn is_f16(&self) -> bool {
        *self == Self::F16
    }
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

    /// Refuses a list of assets: the plugin labels one price.
    ///
    /// # Errors
    /// [`PluginError::Spec`] if the challenge has a list of assets.
    pub fn require_one_asset(&self) -> Result<(), PluginError> {
        if self.assets.is_empty() {
            return Ok(());
        }
        Err(PluginError::spec("assets", "a list of assets", "none: one price per challenge"))
    }

    /// Refuses a list of fewer than `least` assets, or none.
    ///
    /// # Errors
    /// [`PluginError::Spec`] if the challenge has fewer.
    pub fn require_assets(&self, least: usize) -> Result<(), PluginError> {
        let count = |n: usize| match n {
            0 => "no assets".to_owned(),
            1 => "one asset".to_owned(),
            n => format!("{n} assets"),
        };
        if self.assets.len() >= least {
            return Ok(());
        }
        Err(PluginError::spec(
            "assets",
            count(self.assets.len()),
            format!("a list of at least {}", count(least)),
        ))
    }

    /// Refuses another number of numbers per miner and asset than `dim`; `meaning` says what they are:
    /// `probabilities of up, down and neither`.
    ///
    /// # Errors
    /// [`PluginError::Spec`] if the challenge has another `dim`; what is allowed comes with the meaning.
    pub fn require_dim(&self, dim: usize, meaning: &str) -> Result<(), PluginError> {
        if self.dim == dim {
            return Ok(());
        }
        Err(PluginError::spec("dim", self.dim.to_string(), format!("{dim}: {meaning}")))
    }

    /// Refuses a horizon that is shorter than a row.
    ///
    /// # Errors
    /// [`PluginError::Spec`] if [`Spec::rows_ahead`] is 0.
    pub fn require_horizon(&self) -> Result<(), PluginError> {
        if self.rows_ahead() > 0 {
            return Ok(());
        }
        let found = format!("{} blocks", self.blocks_ahead);
        Err(PluginError::spec("blocks_ahead", found, "at least one sampled block"))
    }
}

/// How far model fits go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// To the optimum.
    #[default]
    Exact,
    /// To the point at which the network's scorer stops.
    Network,
}

impl Solver {
    /// The word for it in `challenges.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Network => "network",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(dim: usize, assets: &[&str], blocks_ahead: u32) -> Spec {
        Spec {
            name: "TEST".into(),
            ticker: "T".into(),
            dim,
            assets: assets.iter().map(|&asset| asset.into()).collect(),
            blocks_ahead,
            sample_every: 5,
            seed: 42,
            solver: Solver::Exact,
            storage: Storage::F16,
            channels: Vec::new(),
            facts: Vec::new(),
            targets: false,
            fit: false,
        }
    }

    #[test]
    fn a_spec_without_news_is_told_as_before() {
        let json = serde_json::to_value(spec(1, &[], 5)).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["assets", "blocks_ahead", "dim", "name", "sample_every", "seed", "solver", "ticker"];
        assert_eq!(keys, known);
    }

    #[test]
    fn what_fits_is_accepted() {
        let (one, two) = (spec(3, &[], 5), spec(1, &["A", "B"], 9));
        assert_eq!(
            (one.require_one_asset(), one.require_dim(3, "odds"), one.require_horizon()),
            (Ok(()), Ok(()), Ok(()))
        );
        assert_eq!(
            (two.require_assets(2), two.require_assets(1), two.require_horizon()),
            (Ok(()), Ok(()), Ok(()))
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        for (refused, says) in [
            (
                spec(1, &["A"], 5).require_one_asset(),
                "`assets`: a list of assets; allowed: none: one price per challenge",
            ),
            (spec(1, &[], 5).require_assets(1), "`assets`: no assets; allowed: a list of at least one asset"),
            (
                spec(1, &["A"], 5).require_assets(2),
                "`assets`: one asset; allowed: a list of at least 2 assets",
            ),
            (spec(2, &[], 5).require_dim(3, "up, down, neither"), "`dim`: 2; allowed: 3: up, down, neither"),
            (
                spec(1, &[], 4).require_horizon(),
                "`blocks_ahead`: 4 blocks; allowed: at least one sampled block",
            ),
        ] {
            assert_eq!(refused.unwrap_err().to_string(), says);
        }
    }
}
