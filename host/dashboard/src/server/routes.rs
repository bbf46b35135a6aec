//! Which address is answered by what.

use super::api::{
    agreement, challenges, computations, configuration, docs, leaderboard, miners, refusals, status,
    weight_submissions, what_if,
};
use super::error::ApiError;
use super::site::Site;
use super::{health, html, metrics, middleware};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mantis_web::Hosts;
use std::sync::Arc;

pub(super) fn router(site: Arc<Site>, hosts: Arc<Hosts>) -> Router {
    let cached = Router::new()
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/leaderboard", get(leaderboard::leaderboard))
        .route("/api/v1/miners/{hotkey}", get(miners::miner))
        .route("/api/v1/miners/{hotkey}/history", get(miners::history))
        .route("/api/v1/miners/{hotkey}/refusals", get(refusals::miner_refusals))
        .route("/api/v1/challenges", get(challenges::challenges))
        .route("/api/v1/challenges/{ticker}", get(challenges::challenge))
        .route("/api/v1/challenges/{ticker}/history", get(challenges::history))
        .route("/api/v1/computations", get(computations::computations))
        .route("/api/v1/computations/{block}/weights", get(computations::weights))
        .route("/api/v1/agreement", get(agreement::agreement))
        .route("/api/v1/weight-submissions", get(weight_submissions::weight_submissions))
        .route("/api/v1/refusals", get(refusals::refusals))
        .route("/api/v1/configuration", get(configuration::configuration))
        .route("/api/v1/what-if", get(what_if::what_if))
        .route("/", get(html::overview))
        .route("/live", get(html::live))
        .route("/leaderboard", get(html::leaderboard))
        .route("/leaderboard/{ticker}", get(html::challenge_leaderboard))
        .route("/miners/{hotkey}", get(html::miner))
        .route("/challenges", get(html::challenges))
        .route("/challenges/{ticker}", get(html::challenge))
        .route("/weights", get(html::weights))
        .route("/configuration", get(html::configuration))
        .layer(from_fn_with_state(site.clone(), middleware::answer));
    Router::new()
        .merge(cached)
        .route("/api/v1/settings", get(weight_submissions::moved))
        .route("/api/v1/openapi.json", get(docs::document))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/assets/{name}", get(html::asset))
        .fallback(html::not_found)
        .method_not_allowed_fallback(only_get)
        .layer(from_fn_with_state(hosts, middleware::own_names))
        .layer(from_fn(middleware::guard))
        .layer(from_fn_with_state(site.clone(), middleware::count))
        .with_state(site)
}

async fn only_get() -> Response {
    let mut response =
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "nothing can be changed here: use GET").into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
