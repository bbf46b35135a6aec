//! Which address is answered by what.

use super::admit::admit;
use super::api::{about, days, history, keys, latest, me, record, signals, stream};
use super::error::ApiError;
use super::headers::{guard, own_names};
use super::signed::sign;
use super::site::SignalSite;
use super::{api, page};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mantis_web::Hosts;
use std::sync::Arc;

pub(super) fn router(site: Arc<SignalSite>, hosts: Arc<Hosts>) -> Router {
    let kept = Router::new()
        .route("/v1/signals", get(signals::signals))
        .route("/v1/signals/{ticker}", get(history::history))
        .route("/v1/signals/{ticker}/latest", get(latest::latest))
        .route("/v1/signals/{ticker}/record", get(record::record))
        .route("/v1/days", get(days::days))
        .layer(from_fn_with_state(site.clone(), api::keep));
    let counted = Router::new()
        .merge(kept)
        .route("/v1/stream", get(stream::stream))
        .route("/v1/me", get(me::me))
        .route("/v1/keys/rotate", post(keys::rotate))
        .route("/", get(page::page))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(site.clone(), admit));
    Router::new()
        .merge(counted)
        .route("/.well-known/mantis.json", get(about::about))
        .route("/openapi.json", get(about::openapi))
        .route("/healthz", get(about::healthz))
        .route("/readyz", get(about::readyz))
        .route("/assets/signal.css", get(page::style))
        .layer(from_fn_with_state(site.clone(), sign))
        .layer(from_fn_with_state(hosts, own_names))
        .layer(from_fn(guard))
        .with_state(site)
}

async fn not_found(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::missing(format!("there is nothing at {path}; /openapi.json lists what there is"))
}

async fn not_allowed(uri: Uri) -> Response {
    let (allowed, words) = match uri.path() {
        "/v1/keys/rotate" => ("POST", "a key is replaced with POST"),
        _ => ("GET, HEAD", "nothing can be changed here: use GET"),
    };
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, words)
        .with(header::ALLOW, HeaderValue::from_static(allowed))
        .into_response()
}
