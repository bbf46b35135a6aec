//! `GET /v1/signals/{ticker}`: what was published before.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::{SignalSite, now_ms};
use super::query::{Params, Place, Ticker, within};
use super::shape::Shape;
use crate::keys::Scope;
use crate::store::{Published, Span};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Forecasts if no number is asked for, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct HistoryQuery {
    from: Option<String>,
    to: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(in super::super) struct History {
    signal: Shape,
    delay_seconds: u64,
    /// In the order of their numbers.
    forecasts: Vec<Published>,
    /// `from` of the next page; `null` where these are the last.
    next: Option<i64>,
}

pub(in super::super) async fn history(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    Ticker(ticker): Ticker,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<History>, ApiError> {
    caller.check(Scope::History)?;
    let limit = within("limit", query.limit, USUAL, MOST)? as usize;
    let place = |key, text: Option<String>| text.map(|text| Place::parse(key, &text)).transpose();
    let (from, to) = (place("from", query.from)?, place("to", query.to)?);
    site.read(move |site| {
        let signal = site.signal(&ticker)?;
        caller.check_signal(&ticker)?;
        let mut span = caller.span(now_ms());
        let mut last_seq = i64::MAX;
        match from {
            Some(Place::Seq(seq)) => span.from_seq = seq,
            Some(Place::Time(time)) => span.from = span.from.max(time),
            None => {}
        }
        match to {
            Some(Place::Seq(seq)) => last_seq = seq,
            Some(Place::Time(time)) => span.until = span.until.min(time),
            None => {}
        }
        let mut forecasts = read(site, &ticker, span, limit + 1)?;
        forecasts.retain(|forecast| forecast.seq <= last_seq);
        let next = forecasts.get(limit).map(|forecast| forecast.seq);
        forecasts.truncate(limit);
        let delay_seconds = caller.plan.delay.as_secs();
        Ok(Json(History { signal: Shape::new(&ticker, signal.outlook), delay_seconds, forecasts, next }))
    })
    .await
}

fn read(site: &SignalSite, ticker: &str, span: Span, limit: usize) -> Result<Vec<Published>, ApiError> {
    Ok(site.store.range(ticker, span, limit)?)
}
