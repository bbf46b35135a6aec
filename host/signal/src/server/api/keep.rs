//! Answers that depend on the plan, not on who asks: kept for a moment, and not sent again if they are known.

use super::super::caller::Caller;
use super::super::error::ApiError;
use super::super::signed;
use super::super::site::SignalSite;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Bytes of one answer at most, and of an address that is kept.
const LONGEST: usize = 32 << 20;
const LONGEST_KEY: usize = 512;

/// Answers from what is kept.
pub(in super::super) async fn keep(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let moment = site.moment();
    let key = cache_key(&request, &caller);
    if let Some((headers, body)) = key.as_ref().and_then(|key| site.cache.get(moment, key)) {
        return respond(headers, body, known.as_ref());
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return ApiError::internal().into_response() };
    let mut headers = HeaderMap::new();
    if let Some(kind) = parts.headers.get(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, kind.clone());
    }
    headers.insert(header::ETAG, etag(&body));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    signed::add(&mut headers, StatusCode::OK, &body, &site.key);
    if let Some(key) = key {
        site.cache.put(moment, key, headers.clone(), body.clone());
    }
    respond(headers, body, known.as_ref())
}

/// What an answer depends on: the plan, what the key is for, the address.
fn cache_key(request: &Request, caller: &Caller) -> Option<String> {
    let rights = match &caller.key {
        None => String::new(),
        Some(kept) => format!("{:?} {:?}", kept.key.scopes, kept.key.signals),
    };
    let key = format!("{} {rights} {}", caller.plan.name, request.uri());
    (key.len() <= LONGEST_KEY).then_some(key)
}

fn respond(headers: HeaderMap, body: Bytes, known: Option<&HeaderValue>) -> Response {
    let etag = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
    let is_known = known.and_then(|known| known.to_str().ok()).is_some_and(|known| {
        known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
    });
    if is_known {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
            if let Some(value) = headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        return response;
    }
    (headers, Body::from(body)).into_response()
}

fn etag(body: &Bytes) -> HeaderValue {
    let digest = Sha256::digest(body);
    let text = format!("\"{}\"", hex::encode(digest.get(..12).unwrap_or_default()));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}
