//! A source as `feed.toml` and the presets write it.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A source as it is written: what is left out comes from the preset, or has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) preset: Option<String>,
    pub(super) label: Option<String>,
    pub(super) into: Option<Into>,
    pub(super) url: Option<String>,
    pub(super) body: Option<String>,
    pub(super) assets: Option<Vec<String>>,
    pub(super) symbol: Option<String>,
    pub(super) symbols: Option<BTreeMap<String, String>>,
    pub(super) rows: Option<String>,
    pub(super) names: Option<String>,
    pub(super) name: Option<String>,
    pub(super) row: Option<String>,
    pub(super) pointer: Option<Pointer>,
    pub(super) key_env: Option<String>,
    pub(super) key_header: Option<String>,
    pub(super) key_prefix: Option<String>,
    pub(super) key_query: Option<String>,
    pub(super) multiplier: Option<f64>,
    pub(super) invert: Option<BTreeSet<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Into {
    Prices,
    FundingRates,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Pointer {
    One(String),
    Several(Vec<String>),
}
