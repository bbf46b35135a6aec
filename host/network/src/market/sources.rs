//! Where a publisher takes its numbers from: `feed.toml`.

use super::presets;
use super::raw::{Into, Pointer, Raw};
use mantis_config::{Config, QuoteKind};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use thiserror::Error;

/// A source of numbers: a JSON document over HTTP, and where in it each asset's number stands.
///
/// `{symbol}` in `url` or `body` asks once per asset, `{symbols}` (all of them, with commas) or neither asks once for
/// all. Described key by key in docs/configuration.md.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What messages call it.
    pub label: String,
    /// Prices or funding rates.
    pub into: QuoteKind,
    /// The document's URL.
    pub url: String,
    /// What is sent by POST; without it, the request is a GET.
    pub body: Option<String>,
    /// The assets that are taken from it, by our names.
    pub assets: Vec<String>,
    /// Its symbol for an asset, `{asset}` standing for our name.
    pub symbol: String,
    /// Its symbols for the assets that do not follow the rule.
    pub symbols: BTreeMap<String, String>,
    /// JSON pointer to a list, one row of which is the asset's; without it, `pointer` starts at the top.
    pub rows: Option<String>,
    /// JSON pointer to the list that names the rows, where it is another one, as long.
    pub names: Option<String>,
    /// JSON pointer within a row (of `names`) to its name.
    pub name: String,
    /// The name that the asset's row has; `{symbol}` stands for its symbol.
    pub row: String,
    /// JSON pointers to the number, from the row or the top; of several, the mean is taken.
    pub pointer: Vec<String>,
    /// Environment variable that holds a key.
    pub key_env: Option<String>,
    /// Header that the key is sent in.
    pub key_header: Option<String>,
    /// What is put before the key in the header.
    pub key_prefix: String,
    /// Query parameter that the key is sent in.
    pub key_query: Option<String>,
    /// The number is multiplied with it.
    pub multiplier: f64,
    /// Assets whose number is 1 / x: those that the source quotes the other way round.
    pub invert: BTreeSet<String>,
}

/// Why a file of sources cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: {reason}")]
pub struct SourcesError {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    feed: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    source: Vec<Raw>,
}

/// Reads a file of sources. A source that names no assets is asked for those that the challenges of `config` need.
///
/// # Errors
/// The first fault, with its line where the file is no TOML or has an unknown key.
pub fn load_sources(path: &Path, config: &Config) -> Result<Vec<Source>, SourcesError> {
    let failed = |reason: String| SourcesError { file: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    parse_sources(&text, config).map_err(failed)
}

/// The sources of the presets, in the order in which they are asked: prices of Polygon, funding of OKX and, where
/// that has none, Hyperliquid.
#[must_use]
pub fn default_sources(config: &Config) -> Vec<Source> {
    let named = |preset: &str| Raw { preset: Some(preset.into()), ..Raw::default() };
    let all = ["polygon-crypto", "polygon-forex", "okx-funding", "hyperliquid-funding"].map(named);
    all.into_iter().filter_map(|raw| check(raw, config).ok()).collect()
}

pub(super) fn parse_sources(text: &str, config: &Config) -> Result<Vec<Source>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let numbered = file.feed.source.into_iter().enumerate();
    let sources =
        numbered.map(|(i, raw)| check(raw, config).map_err(|e| format!("[[feed.source]] {}: {e}", i + 1)));
    sources.collect()
}

fn check(raw: Raw, config: &Config) -> Result<Source, String> {
    let base = match &raw.preset {
        None => Raw::default(),
        Some(name) => presets::find(name).ok_or_else(|| {
            format!("no preset is called {name:?}; there are {}", presets::NAMES.join(", "))
        })?,
    };
    let missing = |key: &str| format!("`{key}` is missing");
    let kind = match raw.into.or(base.into).ok_or_else(|| missing("into"))? {
        Into::Prices => QuoteKind::Prices,
        Into::FundingRates => QuoteKind::FundingRates,
    };
    let url = raw.url.or(base.url).ok_or_else(|| missing("url"))?;
    let assets = raw.assets.unwrap_or_else(|| needed(config, kind, raw.preset.as_deref()));
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err("`url` must begin with https:// or http://".into());
    }
    let pointer = match raw.pointer.or(base.pointer).ok_or_else(|| missing("pointer"))? {
        Pointer::One(one) => vec![one],
        Pointer::Several(several) => several,
    };
    let pointers = pointer.iter().chain(&raw.rows).chain(&raw.names).chain(&raw.name);
    if let Some(bad) = pointers.into_iter().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
        return Err(format!("{bad:?} is not a JSON pointer: it must begin with a slash"));
    }
    if pointer.is_empty() {
        return Err("`pointer` names nothing".into());
    }
    let multiplier = raw.multiplier.or(base.multiplier).unwrap_or(1.0);
    if !multiplier.is_finite() || multiplier == 0.0 {
        return Err("`multiplier` must be a finite number, not 0".into());
    }
    let source = Source {
        label: raw.label.or(raw.preset).unwrap_or_else(|| host_of(&url)),
        into: kind,
        url,
        body: raw.body.or(base.body),
        assets,
        symbol: raw.symbol.or(base.symbol).unwrap_or_else(|| "{asset}".into()),
        symbols: raw.symbols.or(base.symbols).unwrap_or_default(),
        rows: raw.rows.or(base.rows),
        names: raw.names.or(base.names),
        name: raw.name.or(base.name).unwrap_or_else(|| "/symbol".into()),
        row: raw.row.or(base.row).unwrap_or_else(|| "{symbol}".into()),
        pointer,
        key_env: raw.key_env.or(base.key_env),
        key_header: raw.key_header.or(base.key_header),
        key_prefix: raw.key_prefix.or(base.key_prefix).unwrap_or_default(),
        key_query: raw.key_query.or(base.key_query),
        multiplier,
        invert: raw.invert.or(base.invert).unwrap_or_default(),
    };
    if source.key_env.is_some() && source.key_header.is_none() && source.key_query.is_none() {
        return Err("`key_env` needs `key_header` or `key_query`: where is the key sent?".into());
    }
    Ok(source)
}

/// What the challenges need of a kind; of prices, a preset for currencies gives the pairs and any other the rest.
fn needed(config: &Config, kind: QuoteKind, preset: Option<&str>) -> Vec<String> {
    let is_pair = |key: &str| key.len() == 6 && key.ends_with("USD");
    let own = config.challenges.iter().filter(|c| c.quotes == kind && c.prices_from.is_none());
    let all: BTreeSet<&String> = own.flat_map(|c| c.assets.iter().chain(&c.price_key)).collect();
    let fits = |asset: &&&String| match preset {
        Some("polygon-forex") => is_pair(asset),
        Some(_) => !is_pair(asset),
        None => true,
    };
    all.iter().filter(fits).map(|asset| (*asset).clone()).collect()
}

fn host_of(url: &str) -> String {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(String::from));
    host.unwrap_or_else(|| "source".into())
}
