//! Which address is answered by whom.

use super::api::{
    challenges, computations, configuration, docs, leaderboard, miners, refusals, status, what_if,
};
use super::fault::Fault;
use super::site::Site;
use super::{cache, health, html, metrics};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

pub(super) fn router(site: Arc<Site>) -> Router {
    let looked_up = Router::new()
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/leaderboard", get(leaderboard::leaderboard))
        .route("/api/v1/miners/{hotkey}", get(miners::miner))
        .route("/api/v1/miners/{hotkey}/history", get(miners::history))
        .route("/api/v1/miners/{hotkey}/refusals", get(refusals::of_miner))
        .route("/api/v1/challenges", get(challenges::challenges))
        .route("/api/v1/challenges/{ticker}", get(challenges::challenge))
        .route("/api/v1/challenges/{ticker}/history", get(challenges::history))
        .route("/api/v1/computations", get(computations::computations))
        .route("/api/v1/computations/{block}/weights", get(computations::weights))
        .route("/api/v1/settings", get(computations::settings))
        .route("/api/v1/refusals", get(refusals::refusals))
        .route("/api/v1/configuration", get(configuration::configuration))
        .route("/api/v1/what-if", get(what_if::what_if))
        .route("/", get(html::overview))
        .route("/live", get(html::live))
        .route("/leaderboard", get(html::leaderboard))
        .route("/leaderboard/{ticker}", get(html::leaderboard_of))
        .route("/miners/{hotkey}", get(html::miner))
        .route("/challenges", get(html::challenges))
        .route("/challenges/{ticker}", get(html::challenge))
        .route("/weights", get(html::weights))
        .route("/configuration", get(html::configuration))
        .layer(from_fn_with_state(site.clone(), cache::answer));
    Router::new()
        .merge(looked_up)
        .route("/api/v1/openapi.json", get(docs::document))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/assets/{name}", get(html::asset))
        .fallback(html::nothing)
        .method_not_allowed_fallback(only_get)
        .layer(from_fn(guard))
        .layer(from_fn_with_state(site.clone(), count))
        .with_state(site)
}

async fn only_get() -> Response {
    let mut refused =
        Fault::new(StatusCode::METHOD_NOT_ALLOWED, "nothing can be changed here: use GET").into_response();
    refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    refused
}

/// What browsers are told with every answer.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn count(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    site.traffic.count(response.status());
    response
}
