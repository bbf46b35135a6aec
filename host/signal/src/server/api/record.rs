//! `GET /v1/signals/{ticker}/record`: what its forecasts were worth.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::{SignalSite, now_ms};
use super::query::{Params, Ticker, within};
use crate::record::Record;
use crate::store::DAY_MS;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const USUAL: u32 = 90;
const MOST: u32 = 365;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RecordQuery {
    days: Option<u32>,
}

#[derive(Serialize)]
pub(in super::super) struct RecordAnswer {
    ticker: String,
    days: u32,
    delay_seconds: u64,
    record: Record,
}

pub(in super::super) async fn record(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    Ticker(ticker): Ticker,
    Params(query): Params<RecordQuery>,
) -> Result<Json<RecordAnswer>, ApiError> {
    let days = within("days", query.days, USUAL, MOST)?;
    let wanted = ticker.clone();
    let signal = site.read(move |site| site.signal(&wanted)).await?;
    caller.check_signal(&ticker)?;
    let now = now_ms();
    // The record reaches back further than forecasts are given, but not nearer.
    let mut span = caller.span(now);
    span.from = now.saturating_sub(i64::from(days) * DAY_MS);
    let record = site.record(&signal, days, &caller.plan.name, span).await?;
    let delay_seconds = caller.plan.delay.as_secs();
    Ok(Json(RecordAnswer { ticker, days, delay_seconds, record: (*record).clone() }))
}
