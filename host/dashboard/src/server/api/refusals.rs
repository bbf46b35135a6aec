//! What was refused, and why.

use super::{Page, Problems};
use crate::server::error::ApiError;
use crate::server::extract::{Name, Paging, Params};
use crate::server::site::Site;
use axum::Json;
use axum::extract::State;
use mantis_ledger::RejectionCounts;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A stretch of refusals of one hotkey for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct Refusal {
    /// Whose payloads.
    hotkey: String,
    /// Where: `fetch`, `parse`, `open` or `decode`.
    stage: String,
    /// The challenge, if only its part was refused; else null.
    ticker: Option<String>,
    /// Why, as a word.
    code: String,
    /// Why, as a sentence: that of the newest.
    detail: String,
    /// Block of the first.
    first_block: i64,
    /// Block of the newest.
    last_block: i64,
    /// How many.
    times: u64,
}

/// What was refused of all miners, newest first.
#[utoipa::path(get, path = "/api/v1/refusals", tag = "miners", params(Paging),
    responses((status = 200, description = "A page of refusals.", body = Page<Refusal>), Problems))]
pub(in crate::server) async fn refusals(
    State(site): State<Arc<Site>>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Refusal>>, ApiError> {
    site.query(move |ledger, _| {
        Ok(Json(Page::select(ledger.rejections(None)?.into_iter().map(Refusal::from), paging)?))
    })
    .await
}

/// What was refused of one miner, newest first.
#[utoipa::path(get, path = "/api/v1/miners/{hotkey}/refusals", tag = "miners",
    params(("hotkey" = String, Path, description = "The miner's hotkey, SS58."), Paging),
    responses((status = 200, description = "A page of refusals.", body = Page<Refusal>), Problems))]
pub(in crate::server) async fn miner_refusals(
    State(site): State<Arc<Site>>,
    Name(hotkey): Name,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Refusal>>, ApiError> {
    site.query(move |ledger, standing| {
        let all = ledger.rejections(Some(&hotkey))?;
        if all.is_empty() && !standing.knows(&hotkey) {
            return Err(super::miners::unknown(&hotkey));
        }
        Ok(Json(Page::select(all.into_iter().map(Refusal::from), paging)?))
    })
    .await
}

impl From<RejectionCounts> for Refusal {
    fn from(counts: RejectionCounts) -> Self {
        let RejectionCounts { last, first_block, last_block, times } = counts;
        Self {
            hotkey: last.hotkey,
            stage: last.stage.as_str().to_owned(),
            ticker: (!last.ticker.is_empty()).then_some(last.ticker),
            code: last.code,
            detail: last.detail,
            first_block: first_block.0,
            last_block: last_block.0,
            times,
        }
    }
}
