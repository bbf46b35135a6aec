//! The challenges.

use super::miners::named;
use super::{Page, Problems};
use crate::server::error::ApiError;
use crate::server::extract::{Name, Paging, Params};
use crate::server::site::Site;
use crate::standing::Standing;
use axum::Json;
use axum::extract::State;
use mantis_config::{Challenge, QuoteKind, Weight};
use mantis_ledger::ChallengeLine;
use mantis_weights::{MadeWith, Scored};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A challenge: as it is configured, and what it gave in the newest computation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct ChallengeAnswer {
    /// Its ticker.
    ticker: String,
    /// Its name.
    name: String,
    /// The plugin's name.
    plugin: String,
    /// The plugin's version; null if it was not asked yet.
    version: Option<String>,
    /// What the plugin says it pays for; null if it was not asked yet.
    summary: Option<String>,
    /// What the plugin runs in: `native` or `wasm`.
    runtime: &'static str,
    /// SHA-256 of the plugin's file: of the copy that runs, else what the configuration pins; null if it pins nothing.
    sha256: Option<String>,
    /// Where model fits stop: `exact` or `network`.
    solver: &'static str,
    /// The weight as it is configured, or as it follows from the others if it is a share.
    weight: f64,
    /// Whether it is configured as a share of the total.
    is_share: bool,
    /// What it counts for: its part of the weights of all that pay.
    counts: f64,
    /// Numbers per asset and prediction.
    dim: usize,
    /// Blocks from a prediction to what it is measured by.
    blocks_ahead: u32,
    /// The assets, if it has more than one.
    assets: Vec<String>,
    /// Whose prices it is measured by: a key of the market feed.
    price_key: Option<String>,
    /// `prices` or `funding_rates`.
    quotes: &'static str,
    /// Parameters that are configured, by name.
    #[schema(value_type = Object)]
    params: serde_json::Value,
    /// Miners that had rows in the newest computation.
    miners: usize,
    /// Miners that it paid.
    paid: usize,
    /// The part of what it paid that nobody earned, and that is burned: 0 to 1.
    burned: f64,
    /// Why it paid no miner, or how it failed; null if it did pay.
    skipped: Option<String>,
    /// What kind of failure it was; null if it did not fail.
    failure: Option<&'static str>,
    /// The block of the computation whose saliences stand in for it, as it failed; null if none do.
    held_from: Option<i64>,
    /// How many computations ago that was.
    held_computations: Option<u32>,
    /// What the newest computation used; null if that was not recorded.
    computed_with: Option<ComputedWith>,
    /// How long it took, s; null if it was not scored yet.
    seconds: Option<f64>,
    /// Numbers about the challenge as a whole, by name.
    facts: BTreeMap<String, f64>,
}

/// What a computation used for a challenge. It can differ from what is configured now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct ComputedWith {
    /// `exact` or `network`.
    solver: &'static str,
    /// `native` or `wasm`.
    runtime: &'static str,
    /// SHA-256 of the plugin's file; null if none could be loaded.
    sha256: Option<String>,
}

impl From<&MadeWith> for ComputedWith {
    fn from(made: &MadeWith) -> Self {
        let MadeWith { solver, runtime, sha256 } = made;
        Self { solver: solver.as_str(), runtime: runtime.as_str(), sha256: sha256.clone() }
    }
}

/// A challenge in one computation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct ChallengePast {
    /// The block that was computed for.
    block: i64,
    /// What the challenge counted for.
    weight: f64,
    /// How long it took, s.
    seconds: f64,
    /// Miners that had rows.
    miners: u32,
    /// Miners that it paid.
    paid: u32,
}

/// All challenges, in the order of the configuration.
#[utoipa::path(get, path = "/api/v1/challenges", tag = "challenges", params(Paging),
    responses((status = 200, description = "A page of challenges.", body = Page<ChallengeAnswer>), Problems))]
pub(in crate::server) async fn challenges(
    State(site): State<Arc<Site>>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ChallengeAnswer>>, ApiError> {
    site.query(move |_, standing| {
        let counting = Counting::new(standing);
        let all = standing.config.challenges.iter();
        let all = all.map(|challenge| ChallengeAnswer::new(challenge, standing, &counting));
        Ok(Json(Page::select(all, paging)?))
    })
    .await
}

/// One challenge.
#[utoipa::path(get, path = "/api/v1/challenges/{ticker}", tag = "challenges",
    params(("ticker" = String, Path, description = "The challenge's ticker.", example = "ETH")),
    responses((status = 200, description = "The challenge.", body = ChallengeAnswer), Problems))]
pub(in crate::server) async fn challenge(
    State(site): State<Arc<Site>>,
    Name(ticker): Name,
) -> Result<Json<ChallengeAnswer>, ApiError> {
    site.query(move |_, standing| {
        let challenge = standing.config.challenges.iter().find(|challenge| challenge.ticker == ticker);
        let challenge = challenge.ok_or_else(|| unknown(&ticker, standing))?;
        Ok(Json(ChallengeAnswer::new(challenge, standing, &Counting::new(standing))))
    })
    .await
}

/// A challenge in all computations, newest first.
#[utoipa::path(get, path = "/api/v1/challenges/{ticker}/history", operation_id = "challenge_history", tag = "challenges",
    params(("ticker" = String, Path, description = "The challenge's ticker.", example = "ETH"), Paging),
    responses((status = 200, description = "A page of computations.", body = Page<ChallengePast>), Problems))]
pub(in crate::server) async fn history(
    State(site): State<Arc<Site>>,
    Name(ticker): Name,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ChallengePast>>, ApiError> {
    site.query(move |ledger, standing| {
        let lines = ledger.challenge_history(&ticker)?;
        let is_configured = standing.config.challenges.iter().any(|challenge| challenge.ticker == ticker);
        if lines.is_empty() && !is_configured {
            return Err(unknown(&ticker, standing));
        }
        Ok(Json(Page::select(lines.into_iter().rev().map(ChallengePast::from), paging)?))
    })
    .await
}

pub(super) fn unknown(ticker: &str, standing: &Standing) -> ApiError {
    let ticker: String = ticker.chars().take(80).collect();
    let known: Vec<&str> = standing.config.challenges.iter().map(|c| c.ticker.as_str()).collect();
    ApiError::missing(format!("there is no challenge \"{ticker}\"; there are {}", known.join(", ")))
}

/// What challenges count for, by ticker.
struct Counting {
    weights: BTreeMap<String, f64>,
    counts: BTreeMap<String, f64>,
}

impl Counting {
    fn new(standing: &Standing) -> Self {
        Self { weights: standing.config.weights().into_iter().collect(), counts: standing.counts() }
    }
}

impl ChallengeAnswer {
    fn new(challenge: &Challenge, standing: &Standing, counting: &Counting) -> Self {
        let scored = standing.scored(&challenge.ticker);
        let described = scored.and_then(|scored| scored.description.as_ref());
        let salience = scored.and_then(|scored| scored.salience.as_ref());
        Self {
            ticker: challenge.ticker.clone(),
            name: challenge.name.clone(),
            plugin: challenge.plugin.clone(),
            version: described.map(|described| described.version.clone()),
            summary: described.map(|described| described.summary.clone()),
            runtime: challenge.runtime.as_str(),
            sha256: challenge.sha256.map(hex::encode),
            solver: challenge.solver.as_str(),
            weight: counting.weights.get(&challenge.ticker).copied().unwrap_or(0.0),
            is_share: matches!(challenge.weight, Weight::Share(_)),
            counts: counting.counts.get(&challenge.ticker).copied().unwrap_or(0.0),
            dim: challenge.dim,
            blocks_ahead: challenge.blocks_ahead,
            assets: challenge.assets.clone(),
            price_key: challenge.price_key.clone(),
            quotes: match challenge.quotes {
                QuoteKind::Prices => "prices",
                QuoteKind::FundingRates => "funding_rates",
            },
            params: serde_json::to_value(&challenge.params).unwrap_or_default(),
            miners: scored.map_or(0, |scored| scored.hotkeys.len()),
            paid: scored.map_or(0, Scored::paid),
            burned: scored.map_or(0.0, Scored::burn_share),
            skipped: scored.and_then(|scored| scored.skipped.clone()),
            failure: scored.and_then(|scored| Some(scored.failure?.as_str())),
            held_from: scored.and_then(|scored| Some(scored.held?.block.0)),
            held_computations: scored.and_then(|scored| Some(scored.held?.computations)),
            computed_with: scored.and_then(|scored| scored.made_with.as_ref()).map(ComputedWith::from),
            seconds: scored.map(|scored| scored.seconds),
            facts: salience.map_or_else(BTreeMap::new, |salience| named(&salience.facts)),
        }
    }
}

impl From<ChallengeLine> for ChallengePast {
    fn from(line: ChallengeLine) -> Self {
        let ChallengeLine { block, weight, seconds, miners, paid } = line;
        Self { block: block.0, weight, seconds, miners, paid }
    }
}
