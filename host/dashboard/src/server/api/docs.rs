//! The API's own description.

use super::{
    agreement, challenges, computations, configuration, leaderboard, miners, refusals, status,
    weight_submissions, what_if,
};
use crate::server::error::Problem;
use crate::server::health;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mantis",
        description = "What a validator of the MANTIS subnet sees, computes and sets. Everything is read only. Shares and weights are \
            parts of 1; blocks last 12 s; times are Unix seconds.",
        license(name = "MIT", identifier = "MIT")
    ),
    paths(
        status::status,
        configuration::configuration,
        leaderboard::leaderboard,
        miners::miner,
        miners::history,
        refusals::miner_refusals,
        refusals::refusals,
        challenges::challenges,
        challenges::challenge,
        challenges::history,
        computations::computations,
        computations::weights,
        weight_submissions::weight_submissions,
        agreement::agreement,
        what_if::what_if,
        health::healthz,
        health::readyz,
    ),
    components(schemas(Problem)),
    tags(
        (name = "validator", description = "What the validator is doing, and by which configuration."),
        (name = "miners", description = "Who earns what, and why."),
        (name = "challenges", description = "What is paid for."),
        (name = "weights", description = "How saliences became weights, and what became of those."),
        (name = "health", description = "For what watches over the program."),
    )
)]
struct Docs;

/// The document, as JSON.
pub(in crate::server) async fn document() -> impl IntoResponse {
    let text = Docs::openapi().to_json().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text)
}
