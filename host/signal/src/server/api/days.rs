//! `GET /v1/days`: signed days of the chain of forecasts.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::{SignalSite, now_ms};
use super::query::{Params, within};
use crate::store::Day;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const USUAL: u32 = 30;
const MOST: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct DaysQuery {
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(in super::super) struct Days {
    /// The newest first; those alone of which all may be known to who asks.
    days: Vec<Day>,
}

pub(in super::super) async fn days(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    Params(query): Params<DaysQuery>,
) -> Result<Json<Days>, ApiError> {
    let limit = within("limit", query.limit, USUAL, MOST)? as usize;
    site.read(move |site| Ok(Json(Days { days: site.store.days(caller.until(now_ms()), limit)? }))).await
}
