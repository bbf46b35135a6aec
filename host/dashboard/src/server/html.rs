//! Addresses of pages, and of their style sheet and script.

use super::error::{ApiError, PageError};
use super::extract::{Name, Params};
use super::pages::{self, Page};
use super::site::Site;
use crate::sections::assets::Asset;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// A page, or why it is not shown: as a page too.
type PageResult = Result<Html<String>, PageError>;

/// Which part of long lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OffsetQuery {
    #[serde(default)]
    offset: u32,
}

pub(super) async fn overview(State(site): State<Arc<Site>>) -> PageResult {
    show(site, |_| Page::Overview, String::new()).await
}

pub(super) async fn leaderboard(State(site): State<Arc<Site>>) -> PageResult {
    show(site, |_| Page::Leaderboard { challenge: None }, String::new()).await
}

pub(super) async fn challenge_leaderboard(
    State(site): State<Arc<Site>>,
    name: Result<Name, ApiError>,
) -> PageResult {
    let Name(ticker) = name.map_err(PageError)?;
    show(site, |ticker| Page::Leaderboard { challenge: Some(ticker) }, ticker).await
}

pub(super) async fn miner(State(site): State<Arc<Site>>, name: Result<Name, ApiError>) -> PageResult {
    let Name(hotkey) = name.map_err(PageError)?;
    show(site, |hotkey| Page::Miner(hotkey), hotkey).await
}

pub(super) async fn challenges(State(site): State<Arc<Site>>) -> PageResult {
    show(site, |_| Page::Challenges, String::new()).await
}

pub(super) async fn challenge(State(site): State<Arc<Site>>, name: Result<Name, ApiError>) -> PageResult {
    let Name(ticker) = name.map_err(PageError)?;
    show(site, |ticker| Page::Challenge(ticker), ticker).await
}

pub(super) async fn weights(
    State(site): State<Arc<Site>>,
    query: Result<Params<OffsetQuery>, ApiError>,
) -> PageResult {
    let Params(OffsetQuery { offset }) = query.map_err(PageError)?;
    show(site, move |_| Page::Weights { offset }, String::new()).await
}

pub(super) async fn configuration(State(site): State<Arc<Site>>) -> PageResult {
    show(site, |_| Page::Configuration, String::new()).await
}

/// The part of the overview that is fetched again and again.
pub(super) async fn live(State(site): State<Arc<Site>>) -> PageResult {
    let status = site.status();
    let made = site.query(move |ledger, standing| Ok(pages::live(standing, status.as_ref(), ledger)?)).await;
    made.map(Html).map_err(PageError)
}

pub(super) async fn asset(name: Result<Name, ApiError>) -> Result<Response, PageError> {
    let Name(name) = name.map_err(PageError)?;
    let missing = || PageError(ApiError::missing("there is nothing of that name"));
    let found = Asset::find(&name).ok_or_else(missing)?;
    // Pages name it with its version: a browser that has it need not ask again.
    let cached = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(found.kind)), (header::CACHE_CONTROL, cached)];
    Ok((headers, found.text).into_response())
}

/// Any other address.
pub(super) async fn not_found(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    if path.starts_with("/api") {
        let detail = format!("there is nothing at {path}; /api/v1/openapi.json lists what there is");
        return ApiError::missing(detail).into_response();
    }
    PageError(ApiError::missing(format!("There is nothing at {path}."))).into_response()
}

async fn show(
    site: Arc<Site>,
    page: impl for<'a> FnOnce(&'a str) -> Page<'a> + Send + 'static,
    name: String,
) -> PageResult {
    let status = site.status();
    let made = site
        .query(move |ledger, standing| {
            pages::render(&page(&name), standing, status.as_ref(), ledger)?.ok_or_else(|| {
                let name: String = name.chars().take(80).collect();
                ApiError::missing(format!("Nothing is known of \u{201c}{name}\u{201d}."))
            })
        })
        .await;
    made.map(Html).map_err(PageError)
}
