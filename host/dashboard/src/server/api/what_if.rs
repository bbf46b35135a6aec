//! What would be earned with other weights of the challenges.

use super::Problems;
use crate::server::error::ApiError;
use crate::server::extract::Params;
use crate::server::site::Site;
use crate::standing::Standing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mantis_config::Weight;
use mantis_weights::{Outcome, SettleRules, Settlement, settle_again};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// The largest weight that a challenge may have.
const LARGEST: f64 = 1e9;

/// What would be earned.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct WhatIfAnswer {
    /// What each challenge would count for, by ticker: its part of the weights of all that pay.
    shares: BTreeMap<String, f64>,
    /// All miners that earn now or would earn then, best first by what they would earn.
    miners: Vec<WhatIfMiner>,
}

/// What a miner would earn.
#[derive(Debug, Serialize, ToSchema)]
struct WhatIfMiner {
    /// Its hotkey.
    hotkey: String,
    /// Its part of the total salience then.
    total: f64,
    /// Its part now.
    total_now: f64,
    /// Its place then, from 1; null if it would earn nothing.
    rank: Option<usize>,
    /// Its place now by the same order, from 1; null if it earns nothing.
    rank_now: Option<usize>,
    /// Its smoothed weight then, had the newest computation gone by these weights: after the young, the burn and the
    /// smoothing with the computation before. Null if it is not registered, or no weights would be set.
    weight: Option<f64>,
    /// Its smoothed weight now.
    weight_now: Option<f64>,
}

/// What miners would earn of the total salience in the newest computation, and their weights, with other weights of the
/// challenges. The query has a weight per ticker, or a share with a percent sign, as in `?ETH=2&TRADEMIX=15%25`;
/// challenges that are not named keep what the configuration says: a share stays the same part of all. Nothing is changed.
#[utoipa::path(get, path = "/api/v1/what-if", tag = "weights",
    params(("weights" = BTreeMap<String, String>, Query, style = Form, explode = true,
        description = "Weights by ticker: numbers from 0 to 1000000000, or shares of all: 0% to below 100%.",
        example = json!({"ETH": "2", "TRADEMIX": "15%"}))),
    responses((status = 200, description = "What would be earned.", body = WhatIfAnswer), Problems))]
pub(in crate::server) async fn what_if(
    State(site): State<Arc<Site>>,
    Params(query): Params<Vec<(String, String)>>,
) -> Result<Json<WhatIfAnswer>, ApiError> {
    site.query(move |_, standing| Ok(Json(WhatIfAnswer::new(standing, &weights(standing, &query)?)))).await
}

/// The weights that are asked about, with those of the configuration for the rest.
fn weights(standing: &Standing, query: &[(String, String)]) -> Result<BTreeMap<String, f64>, ApiError> {
    let bad = |detail: String| ApiError::new(StatusCode::BAD_REQUEST, detail);
    let mut asked = BTreeMap::new();
    for (ticker, text) in query {
        if !standing.config.challenges.iter().any(|challenge| challenge.ticker == *ticker) {
            return Err(bad(super::challenges::unknown(ticker, standing).detail));
        }
        let weight = weight(text).ok_or_else(|| {
            bad(format!(
                "the weight of {ticker} is not a number from 0 to 1000000000, nor a share below 100%"
            ))
        })?;
        asked.insert(ticker.clone(), weight);
    }
    let weights = standing.config.weights_with(&asked).ok_or_else(|| {
        bad("weights that are not shares must not all be 0, and shares must sum to less than 100%".into())
    })?;
    Ok(weights.into_iter().collect())
}

/// `2`, or `15%`.
fn weight(text: &str) -> Option<Weight> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let share = percent.parse::<f64>().ok()? / 100.0;
            (0.0..1.0).contains(&share).then_some(Weight::Share(share))
        }
        None => text.parse().ok().filter(|x| (0.0..=LARGEST).contains(x)).map(Weight::Fixed),
    }
}

impl WhatIfAnswer {
    fn new(standing: &Standing, weights: &BTreeMap<String, f64>) -> Self {
        let now = &standing.scores.total;
        let then = standing.total_with(weights);
        let (ranks, ranks_now) = (ranks(&then.miners), ranks(now));
        let settled = standing.outcome.settlements();
        // What was settled once makes sense.
        let rules = SettleRules::from(&standing.config.network);
        let settled_then = settle_again(settled, then.clone(), &rules).ok();
        let then = &then.miners;
        let weights_then = by_hotkey(settled_then.as_ref().map_or(&[], Outcome::settlements));
        let weights_now = by_hotkey(settled);
        let mut miners: Vec<WhatIfMiner> = now
            .iter()
            .filter(|(_, total)| **total > 0.0)
            .map(|(hotkey, _)| hotkey)
            .chain(
                then.iter()
                    .filter(|(hotkey, total)| **total > 0.0 && now.get(*hotkey).is_none_or(|x| *x <= 0.0))
                    .map(|(hotkey, _)| hotkey),
            )
            .map(|hotkey| WhatIfMiner {
                total: then.get(hotkey).copied().unwrap_or(0.0),
                total_now: now.get(hotkey).copied().unwrap_or(0.0),
                rank: ranks.get(hotkey.as_str()).copied(),
                rank_now: ranks_now.get(hotkey.as_str()).copied(),
                weight: weights_then.get(hotkey.as_str()).copied(),
                weight_now: weights_now.get(hotkey.as_str()).copied(),
                hotkey: hotkey.clone(),
            })
            .collect();
        miners.sort_by(|a, b| {
            b.total
                .total_cmp(&a.total)
                .then(b.total_now.total_cmp(&a.total_now))
                .then(a.hotkey.cmp(&b.hotkey))
        });
        Self { shares: standing.counts_with(weights), miners }
    }
}

fn by_hotkey(settlements: &[Settlement]) -> BTreeMap<&str, f64> {
    settlements.iter().map(|settlement| (settlement.hotkey.as_str(), settlement.weight)).collect()
}

/// Places of those that earn, from 1, best first; those that earn the same are placed by their hotkeys.
fn ranks(totals: &BTreeMap<String, f64>) -> BTreeMap<&str, usize> {
    let mut order: Vec<(&str, f64)> =
        totals.iter().map(|(hotkey, total)| (hotkey.as_str(), *total)).filter(|one| one.1 > 0.0).collect();
    order.sort_by(|a, b| match b.1.total_cmp(&a.1) {
        Ordering::Equal => a.0.cmp(b.0),
        other => other,
    });
    order.into_iter().zip(1..).map(|((hotkey, _), rank)| (hotkey, rank)).collect()
}
