//! `GET /v1/signals/{ticker}/latest`.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::{SignalSite, now_ms};
use super::query::Ticker;
use super::shape::Shape;
use crate::keys::Scope;
use crate::store::Published;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub(in super::super) struct Latest {
    signal: Shape,
    delay_seconds: u64,
    forecast: Published,
}

pub(in super::super) async fn latest(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    ticker: Ticker,
) -> Result<Json<Latest>, ApiError> {
    caller.check(Scope::Latest)?;
    site.read(move |site| {
        let Ticker(ticker) = ticker;
        let signal = site.signal(&ticker)?;
        caller.check_signal(&ticker)?;
        let forecast = site.store.latest(&ticker, caller.until(now_ms()))?.ok_or_else(|| {
            let delay = caller.delay();
            ApiError::missing(format!(
                "{ticker} has no forecast yet that is at least {delay} old, as your plan says"
            ))
        })?;
        // The form may have changed since.
        let outlook = site.store.outlook(forecast.seq)?.unwrap_or(signal.outlook);
        let delay_seconds = caller.plan.delay.as_secs();
        Ok(Json(Latest { signal: Shape::new(&ticker, outlook), delay_seconds, forecast }))
    })
    .await
}
