//! Computations of weights.

use super::miners::StepAnswer;
use super::{Page, Problems};
use crate::server::error::ApiError;
use crate::server::extract::{AtBlock, Paging, Params};
use crate::server::site::Site;
use axum::Json;
use axum::extract::State;
use mantis_ledger::ComputationLine;
use mantis_weights::Settlement;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A computation of weights.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct ComputationAnswer {
    /// The block it was for.
    block: i64,
    /// The newest block whose row was scored.
    max_block: i64,
    /// When it ended, Unix seconds.
    ended: u64,
    /// How long it took, s.
    seconds: f64,
    /// Why no weights came of it; null if they did.
    rejected: Option<String>,
    /// Why challenges paid no miner, by ticker.
    skipped: BTreeMap<String, String>,
}

/// All computations, newest first.
#[utoipa::path(get, path = "/api/v1/computations", tag = "weights", params(Paging),
    responses((status = 200, description = "A page of computations.", body = Page<ComputationAnswer>), Problems))]
pub(in crate::server) async fn computations(
    State(site): State<Arc<Site>>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ComputationAnswer>>, ApiError> {
    let range = paging.range()?;
    site.query(move |ledger, _| {
        let lines = ledger.computations(range.0, range.1)?.into_iter().map(ComputationAnswer::from).collect();
        Ok(Json(Page::new(lines, ledger.count_cycles()?, range)))
    })
    .await
}

/// Every UID's way to its weight in one computation, by UID.
#[utoipa::path(get, path = "/api/v1/computations/{block}/weights", operation_id = "computed_weights", tag = "weights",
    params(("block" = i64, Path, description = "The block that was computed for."), Paging),
    responses((status = 200, description = "A page of UIDs.", body = Page<StepAnswer>), Problems))]
pub(in crate::server) async fn weights(
    State(site): State<Arc<Site>>,
    AtBlock(block): AtBlock,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<StepAnswer>>, ApiError> {
    site.query(move |ledger, _| {
        let steps = ledger.settlements(block)?;
        if steps.is_empty() {
            let detail =
                format!("no weights came of a computation for block {block}; /api/v1/computations lists all");
            return Err(ApiError::missing(detail));
        }
        let rules = ledger.basis(block)?.map(|basis| basis.rules);
        let is_retired =
            |step: &Settlement| rules.as_ref().is_some_and(|rules| rules.is_retired(step.uid, &step.hotkey));
        Ok(Json(Page::select(steps.iter().map(|step| StepAnswer::new(step, is_retired(step))), paging)?))
    })
    .await
}

impl From<ComputationLine> for ComputationAnswer {
    fn from(line: ComputationLine) -> Self {
        let ComputationLine { block, max_block, unix, seconds, rejected, skipped } = line;
        Self { block: block.0, max_block: max_block.0, ended: unix, seconds, rejected, skipped }
    }
}
