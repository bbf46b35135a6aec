//! What the validator is doing.

use super::Problems;
use crate::server::error::ApiError;
use crate::server::site::Site;
use crate::standing::Computed;
use axum::Json;
use axum::extract::State;
use mantis_ledger::{Ledger, PayloadTotals};
use mantis_validator::{Status, unix};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How it stands with the validator and its ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct StatusAnswer {
    /// The program's version.
    version: &'static str,
    /// When this was said, Unix seconds.
    now: u64,
    /// What needs attention, most pressing first. Empty if all is well.
    faults: Vec<String>,
    /// What the validator is doing; null if the ledger is read without one.
    validator: Option<Status>,
    /// The ledger.
    ledger: LedgerAnswer,
    /// The newest computation of weights; null if there is none.
    computation: Option<Computation>,
}

/// What the ledger holds.
#[derive(Debug, Serialize, ToSchema)]
struct LedgerAnswer {
    /// The newest sampled block.
    last_block: Option<i64>,
    /// Sampled blocks.
    sampled_blocks: u64,
    /// Sampled blocks whose payloads wait to be opened.
    waiting_blocks: usize,
    /// Payloads since the ledger was begun.
    payloads: Payloads,
    /// What was refused, most frequent first.
    refusals: Vec<RefusalCount>,
}

/// Payloads since the ledger was begun.
#[derive(Debug, Serialize, ToSchema)]
struct Payloads {
    /// Taken to wait for their opening.
    accepted: u64,
    /// Of those, served unchanged.
    stale: u64,
    /// Of those, such as anybody could have opened already.
    early: u64,
    /// Of those, opened so far.
    opened: u64,
    /// Not there, or refused as a whole.
    refused: u64,
}

/// How often something was refused for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct RefusalCount {
    /// Where: `fetch`, `parse`, `open` or `decode`.
    stage: String,
    /// Why, as a word.
    code: String,
    /// How often.
    times: u64,
}

/// A computation of weights.
#[derive(Debug, Serialize, ToSchema)]
struct Computation {
    /// The block it was for.
    block: i64,
    /// The newest block whose row was scored.
    max_block: i64,
    /// When it ended, Unix seconds.
    ended: u64,
    /// How long it took, s.
    seconds: f64,
}

/// What the validator is doing, and what its ledger holds.
#[utoipa::path(get, path = "/api/v1/status", tag = "validator",
    responses((status = 200, description = "What it is doing.", body = StatusAnswer), Problems))]
pub(in crate::server) async fn status(State(site): State<Arc<Site>>) -> Result<Json<StatusAnswer>, ApiError> {
    let status = site.status();
    site.query(move |ledger, standing| {
        let computation = standing.computed.map(|Computed { block, max_block, unix, seconds }| Computation {
            block: block.0,
            max_block: max_block.0,
            ended: unix,
            seconds,
        });
        Ok(Json(StatusAnswer {
            version: env!("CARGO_PKG_VERSION"),
            now: unix(),
            faults: status.as_ref().map(Status::faults).unwrap_or_default(),
            validator: status,
            ledger: LedgerAnswer::read(ledger)?,
            computation,
        }))
    })
    .await
}

impl LedgerAnswer {
    fn read(ledger: &Ledger) -> Result<Self, ApiError> {
        let PayloadTotals { accepted, stale, early, opened, refused } = ledger.totals()?;
        let refusals = ledger.refusals_by_code()?.into_iter();
        Ok(Self {
            last_block: ledger.last_block()?.map(|block| block.0),
            sampled_blocks: ledger.sampled_blocks()?,
            waiting_blocks: ledger.pending()?.len(),
            payloads: Payloads { accepted, stale, early, opened, refused },
            refusals: refusals.map(|(stage, code, times)| RefusalCount { stage, code, times }).collect(),
        })
    }
}
