//! What each miner earns.

use super::{Page, Problems};
use crate::server::error::ApiError;
use crate::server::extract::{Paging, Params};
use crate::server::site::Site;
use crate::standing::{Ranked, Standing};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A miner in the leaderboard.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct Leader {
    /// Its place among all miners, from 1; null if it earns nothing.
    rank: Option<usize>,
    /// Its hotkey, SS58.
    hotkey: String,
    /// Its UID, if it is registered.
    uid: Option<u16>,
    /// What is known of it beside its name; null but in a demo.
    about: Option<String>,
    /// Its part of the total salience.
    total: f64,
    /// Its smoothed weight.
    weight: f64,
    /// What the chain is given, 0 to 65,535.
    on_chain: u16,
    /// What each challenge pays it, as a part of what the challenge pays, by ticker. Those that pay it nothing are left out.
    shares: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct LeaderboardQuery {
    /// Order by what this challenge pays, best first, instead of by rank.
    #[param(example = "ETH")]
    challenge: Option<String>,
    /// Entries at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Entries that are left out before the first.
    #[param(minimum = 0, maximum = 1_000_000_000, default = 0)]
    offset: Option<u32>,
}

/// All miners that were scored or weighed, best first.
#[utoipa::path(get, path = "/api/v1/leaderboard", tag = "miners", params(LeaderboardQuery),
    responses((status = 200, description = "A page of miners.", body = Page<Leader>), Problems))]
pub(in crate::server) async fn leaderboard(
    State(site): State<Arc<Site>>,
    Params(query): Params<LeaderboardQuery>,
) -> Result<Json<Page<Leader>>, ApiError> {
    site.query(move |_, standing| {
        let mut all = leaders(standing);
        if let Some(ticker) = &query.challenge {
            if standing.scored(ticker).is_none() {
                return Err(super::challenges::unknown(ticker, standing));
            }
            let share = |leader: &Leader| leader.shares.get(ticker).copied().unwrap_or(0.0);
            all.sort_by(|a, b| share(b).total_cmp(&share(a)));
        }
        let paging = Paging { limit: query.limit, offset: query.offset };
        Ok(Json(Page::select(all.into_iter(), paging)?))
    })
    .await
}

fn leaders(standing: &Standing) -> Vec<Leader> {
    let leader = |Ranked { rank, hotkey, uid, total, weight, on_chain }| Leader {
        about: standing.about.get(&hotkey).cloned(),
        shares: standing
            .challenges()
            .filter_map(|(scored, shares)| Some((scored.ticker.clone(), *shares.get(&hotkey)?)))
            .filter(|(_, share)| *share > 0.0)
            .collect(),
        rank,
        hotkey,
        uid,
        total,
        weight,
        on_chain,
    };
    standing.ranking().into_iter().map(leader).collect()
}
