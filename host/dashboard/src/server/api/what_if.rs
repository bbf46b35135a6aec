//! What would be earned with other weights of the challenges.

use super::Problems;
use crate::server::error::ApiError;
use crate::server::extract::Params;
use crate::server::site::Site;
use crate::standing::Standing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
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
}

/// What miners would earn of the total salience in the newest computation with other weights of the challenges. The query has a
/// weight per ticker, as in `?ETH=2&CADUSD=0`; challenges that are not named keep theirs. Nothing is changed.
#[utoipa::path(get, path = "/api/v1/what-if", tag = "weights",
    params(("weights" = BTreeMap<String, f64>, Query, style = Form, explode = true,
        description = "Weights by ticker: numbers from 0 to 1000000000.", example = json!({"ETH": 2.0}))),
    responses((status = 200, description = "What would be earned.", body = WhatIfAnswer), Problems))]
pub(in crate::server) async fn what_if(
    State(site): State<Arc<Site>>,
    Params(query): Params<Vec<(String, String)>>,
) -> Result<Json<WhatIfAnswer>, ApiError> {
    site.query(move |_, standing| Ok(Json(WhatIfAnswer::new(standing, &weights(standing, &query)?)))).await
}

/// The weights that are asked about, and for the rest those that run.
fn weights(standing: &Standing, query: &[(String, String)]) -> Result<BTreeMap<String, f64>, ApiError> {
    let mut weights: BTreeMap<String, f64> = standing.config.weights().into_iter().collect();
    for (ticker, text) in query {
        let Some(weight) = weights.get_mut(ticker) else {
            let unknown = super::challenges::unknown(ticker, standing);
            return Err(ApiError::new(StatusCode::BAD_REQUEST, unknown.detail));
        };
        *weight = text.parse().ok().filter(|x| (0.0..=LARGEST).contains(x)).ok_or_else(|| {
            let detail = format!("the weight of {ticker} is not a number from 0 to 1000000000");
            ApiError::new(StatusCode::BAD_REQUEST, detail)
        })?;
    }
    Ok(weights)
}

impl WhatIfAnswer {
    fn new(standing: &Standing, weights: &BTreeMap<String, f64>) -> Self {
        let now = &standing.scores.total;
        let then = standing.total_with(weights);
        let (ranks, ranks_now) = (ranks(&then), ranks(now));
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
