//! What the server says of itself.

use super::super::error::ApiError;
use super::super::site::SignalSite;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The API in the words of OpenAPI.
const OPENAPI: &str = include_str!("openapi.json");

pub(in super::super) async fn about(State(site): State<Arc<SignalSite>>) -> Json<Value> {
    Json(json!({
        "netuid": site.netuid,
        "public_key": site.key.public(),
        "algorithm": "ed25519",
        "answers": {
            "standard": ["RFC 9421", "RFC 9530"],
            "components": ["@status", "content-digest"],
            "label": "sig1",
        },
        "forecasts": { "message": "mantis-signal-forecast-1\n<hash>" },
        "days": { "message": "mantis-signal-day-1\n<day>\n<first_seq>\n<last_seq>\n<root>" },
    }))
}

pub(in super::super) async fn openapi() -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (json, OPENAPI).into_response()
}

/// Whether the store could be read and written at the last look.
pub(in super::super) async fn healthz(State(site): State<Arc<SignalSite>>) -> Result<Json<Value>, ApiError> {
    if site.well.load(Ordering::Relaxed) {
        return Ok(Json(json!({ "ok": true })));
    }
    let detail = "the store cannot be read or written; the server's log says why";
    Err(ApiError::later(StatusCode::SERVICE_UNAVAILABLE, 2, detail))
}

/// Whether forecasts are made, where this process makes them; else whether the store can be read.
pub(in super::super) async fn readyz(State(site): State<Arc<SignalSite>>) -> Result<Response, ApiError> {
    let Json(mut answer) = healthz(State(site.clone())).await?;
    let Some((is_well, state)) = site.making() else { return Ok(Json(answer).into_response()) };
    answer["ok"] = is_well.into();
    answer["making"] = state;
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(answer)).into_response())
}
