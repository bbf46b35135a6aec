//! `GET /v1/me`: what a key is for, and what it was used for.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::SignalSite;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

/// Days of use.
const DAYS: usize = 31;

#[derive(Serialize)]
pub(in super::super) struct Me {
    id: String,
    note: String,
    scopes: Vec<String>,
    /// `null` for all.
    signals: Option<Vec<String>>,
    plan: String,
    delay_seconds: u64,
    streams: usize,
    made_at: i64,
    expires: Option<i64>,
    /// The newest first; what was asked in the last seconds may be missing.
    usage: Vec<Day>,
}

#[derive(Serialize)]
struct Day {
    /// Days since 1970-01-01, UTC.
    day: i64,
    requests: i64,
    events: i64,
}

pub(in super::super) async fn me(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
) -> Result<Json<Me>, ApiError> {
    let kept = caller.key.clone().ok_or_else(|| ApiError::unauthorized("this is about a key: send one"))?;
    site.read(move |site| {
        let used = site.store.usage(&kept.key.id, DAYS)?;
        let day =
            |used: crate::store::Used| Day { day: used.day, requests: used.requests, events: used.events };
        let key = kept.key.clone();
        Ok(Json(Me {
            id: key.id,
            note: key.note,
            scopes: key.scopes,
            signals: key.signals,
            plan: key.plan,
            delay_seconds: caller.plan.delay.as_secs(),
            streams: caller.plan.streams,
            made_at: key.made_at,
            expires: key.expires,
            usage: used.into_iter().map(day).collect(),
        }))
    })
    .await
}
