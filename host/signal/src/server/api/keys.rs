//! `POST /v1/keys/rotate`: another key in the place of one's own.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::site::{SignalSite, now_ms};
use crate::keys::{self, KeyError, ROTATION_SECONDS};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Rotated {
    /// The new key: it is not shown again.
    key: String,
    id: String,
    expires: Option<i64>,
    /// When the old one ends, in Unix seconds, if it does not end before.
    old_expires: i64,
}

pub(in super::super) async fn rotate(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let kept = caller.key.clone().ok_or_else(|| ApiError::unauthorized("this is about a key: send one"))?;
    let rotated = site
        .read(move |site| {
            let now = now_ms() / 1000;
            let made = keys::rotate(&site.store, &kept.key.id, now);
            site.forget_keys();
            match made {
                Ok((token, made)) => Ok(Rotated {
                    key: token.reveal(),
                    id: token.id().to_owned(),
                    expires: made.key.expires,
                    old_expires: now.saturating_add(ROTATION_SECONDS),
                }),
                Err(KeyError::Missing { .. }) => Err(ApiError::new(
                    StatusCode::CONFLICT,
                    "this key was replaced already: use the one that came then",
                )),
                Err(KeyError::Store(error)) => Err(error.into()),
                Err(KeyError::Random) => Err(ApiError::internal()),
            }
        })
        .await?;
    let secret = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((secret, Json(rotated)).into_response())
}
