//! The configuration as it was loaded.

use super::challenges::horizon;
use super::definitions::{Definition, Definitions, Value};
use super::filters;
use super::text::{clean, count, number, percent, plural};
use super::view::{ChallengeView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::{Challenge, QuoteKind, Weight};
use mantis_plugin_api::Solver;
use std::collections::BTreeMap;

/// A table of all challenges, under a heading with the id `h-configuration`.
#[derive(Template)]
#[template(path = "sections/configured.html")]
pub(crate) struct ConfiguredChallenges<'a> {
    rows: Vec<Row<'a>>,
}

impl HtmlSafe for ConfiguredChallenges<'_> {}

struct Row<'a> {
    challenge: &'a Challenge,
    /// The address of what is said of it, if it was scored.
    href: Option<&'a str>,
    weight: f64,
    written: String,
    share: f64,
    solver: &'static str,
    /// The digest of its plugin's copy that runs, or that it is pinned to, hexadecimal; empty if there is neither.
    digest: String,
}

impl<'a> ConfiguredChallenges<'a> {
    pub(crate) fn new(view: &'a RunView<'a>) -> Self {
        let config = &view.standing.config;
        let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
        let sum: f64 = weights.values().sum();
        let row = |challenge: &'a Challenge| {
            let weight = weights.get(&challenge.ticker).copied().unwrap_or(0.0);
            Row {
                challenge,
                href: view.challenge(&challenge.ticker).map(|(_, challenge)| challenge.href.as_str()),
                weight,
                written: written(challenge),
                share: if sum > 0.0 { weight / sum } else { 0.0 },
                solver: solver(challenge.solver),
                digest: challenge.sha256.as_ref().map_or(String::new(), hex::encode),
            }
        };
        Self { rows: config.challenges.iter().map(row).collect() }
    }
}

/// What a challenge is configured to.
pub(crate) fn parameters(challenge: &Challenge, view: Option<&ChallengeView<'_>>) -> Definitions {
    let mut rows = vec![
        Definition::text("Name", clean(&challenge.name)),
        Definition::text("Plugin", clean(&challenge.plugin)),
    ];
    if let Some(description) = view.and_then(|view| view.scored.description.as_ref()) {
        let version = format!("{} {}", clean(&description.name), clean(&description.version));
        rows.push(Definition::text("Version", version));
    }
    rows.push(Definition::text("Runs as", challenge.runtime.as_str()));
    rows.push(match &challenge.sha256 {
        Some(digest) => Definition::new("Digest", Value::Code(hex::encode(digest))),
        None => Definition::text("Digest", "not pinned"),
    });
    rows.push(Definition::text("Weight", written(challenge)));
    rows.push(Definition::text("Horizon", horizon(challenge.blocks_ahead)));
    rows.push(Definition::text("Solver", solver(challenge.solver)));
    rows.push(Definition::text("Numbers per miner", count(challenge.storage_dim())));
    if let Some(key) = &challenge.price_key {
        rows.push(Definition::text("Price", clean(key)));
    }
    if challenge.quotes == QuoteKind::FundingRates {
        rows.push(Definition::text("Stores", "funding rates"));
    }
    if let Some(from) = &challenge.prices_from {
        rows.push(Definition::text("Prices of", clean(from)));
    }
    if !challenge.assets.is_empty() {
        let assets: Vec<String> = challenge.assets.iter().map(|asset| clean(asset)).collect();
        rows.push(Definition::text(plural(assets.len(), "asset", "assets"), assets.join(", ")));
    }
    for (key, value) in &challenge.params {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        rows.push(Definition { is_key: true, ..Definition::text(clean(key), clean(&text)) });
    }
    Definitions::new(rows)
}

/// A challenge's weight, as it is written in the file.
fn written(challenge: &Challenge) -> String {
    match challenge.weight {
        Weight::Fixed(weight) => number(weight),
        Weight::Share(share) => format!("{} of all", percent(share)),
    }
}

pub(super) fn solver(solver: Solver) -> &'static str {
    match solver {
        Solver::Exact => "exact",
        Solver::Network => "network",
    }
}
