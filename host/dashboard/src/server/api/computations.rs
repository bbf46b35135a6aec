//! Computations of weights, and what became of the weights.

use super::miners::StepAnswer;
use super::{Page, Problems};
use crate::server::extract::{Block, Paging, Params};
use crate::server::fault::Fault;
use crate::server::site::Site;
use axum::Json;
use axum::extract::State;
use mantis_ledger::{Attempt, CycleLine};
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
    /// Why no weights came of it; null where they did.
    rejected: Option<String>,
    /// Why challenges paid nobody, by ticker.
    skipped: BTreeMap<String, String>,
}

/// An attempt to set weights.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct SettingAnswer {
    /// The block that they were computed for.
    computed: i64,
    /// The block at which they were sent.
    block: i64,
    /// When it ended, Unix seconds.
    ended: u64,
    /// How it ended: `set`, `committed`, `unconfirmed`, `failed` or `dry run`.
    outcome: String,
    /// The transaction's hash; null where there was none.
    transaction: Option<String>,
    /// The block that the transaction is in; null where it is not known.
    included: Option<i64>,
    /// What went wrong; null where nothing did.
    error: Option<String>,
    /// The weights.
    weights: Vec<OnChain>,
}

/// A weight as the chain is given it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct OnChain {
    /// The UID.
    uid: u16,
    /// Its hotkey then.
    hotkey: String,
    /// 0 to 65,535; the largest of all is 65,535.
    weight: u16,
}

/// All computations, newest first.
#[utoipa::path(get, path = "/api/v1/computations", tag = "weights", params(Paging),
    responses((status = 200, description = "A page of computations.", body = Page<ComputationAnswer>), Problems))]
pub(in crate::server) async fn computations(
    State(site): State<Arc<Site>>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ComputationAnswer>>, Fault> {
    let range = paging.range()?;
    site.look(move |ledger, _| {
        let lines = ledger.cycles(range.0, range.1)?.into_iter().map(ComputationAnswer::from).collect();
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
    Block(block): Block,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<StepAnswer>>, Fault> {
    site.look(move |ledger, _| {
        let steps = ledger.steps(block)?;
        if steps.is_empty() {
            let detail =
                format!("no weights came of a computation for block {block}; /api/v1/computations lists all");
            return Err(Fault::missing(detail));
        }
        Ok(Json(Page::of(steps.iter().map(StepAnswer::from), paging)?))
    })
    .await
}

/// All attempts to set weights, newest first.
#[utoipa::path(get, path = "/api/v1/settings", tag = "weights", params(Paging),
    responses((status = 200, description = "A page of attempts.", body = Page<SettingAnswer>), Problems))]
pub(in crate::server) async fn settings(
    State(site): State<Arc<Site>>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<SettingAnswer>>, Fault> {
    let range = paging.range()?;
    site.look(move |ledger, _| {
        let attempts = ledger.attempts_from(range.0, range.1)?.into_iter().map(SettingAnswer::from).collect();
        Ok(Json(Page::new(attempts, ledger.count_attempts()?, range)))
    })
    .await
}

impl From<CycleLine> for ComputationAnswer {
    fn from(line: CycleLine) -> Self {
        let CycleLine { block, max_block, unix, seconds, rejected, skipped } = line;
        Self { block, max_block, ended: unix, seconds, rejected, skipped }
    }
}

impl From<Attempt> for SettingAnswer {
    fn from(attempt: Attempt) -> Self {
        let Attempt { computed, block, unix, sent, transaction, included, error, weights } = attempt;
        let weights =
            weights.into_iter().map(|(uid, hotkey, weight)| OnChain { uid, hotkey, weight }).collect();
        let outcome = sent.as_str().to_owned();
        Self { computed, block, ended: unix, outcome, transaction, included, error, weights }
    }
}
