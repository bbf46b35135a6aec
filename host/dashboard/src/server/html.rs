//! Addresses of pages, and of what they are dressed with.

use super::extract::{Name, Params};
use super::fault::Fault;
use super::pages::{self, Page};
use super::site::Site;
use crate::sections::assets::Asset;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// A page, or why there is none: as a page too.
type Shown = Result<Html<String>, Unshown>;

/// Why a page is not shown.
pub(super) struct Unshown(Fault);

/// Which part of long lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(default)]
    offset: u32,
}

pub(super) async fn overview(State(site): State<Arc<Site>>) -> Shown {
    show(site, |_| Page::Overview, String::new()).await
}

pub(super) async fn leaderboard(State(site): State<Arc<Site>>) -> Shown {
    show(site, |_| Page::Leaderboard { challenge: None }, String::new()).await
}

pub(super) async fn leaderboard_of(State(site): State<Arc<Site>>, name: Result<Name, Fault>) -> Shown {
    let Name(ticker) = name.map_err(Unshown)?;
    show(site, |ticker| Page::Leaderboard { challenge: Some(ticker) }, ticker).await
}

pub(super) async fn miner(State(site): State<Arc<Site>>, name: Result<Name, Fault>) -> Shown {
    let Name(hotkey) = name.map_err(Unshown)?;
    show(site, |hotkey| Page::Miner(hotkey), hotkey).await
}

pub(super) async fn challenges(State(site): State<Arc<Site>>) -> Shown {
    show(site, |_| Page::Challenges, String::new()).await
}

pub(super) async fn challenge(State(site): State<Arc<Site>>, name: Result<Name, Fault>) -> Shown {
    let Name(ticker) = name.map_err(Unshown)?;
    show(site, |ticker| Page::Challenge(ticker), ticker).await
}

pub(super) async fn weights(State(site): State<Arc<Site>>, part: Result<Params<Part>, Fault>) -> Shown {
    let Params(Part { offset }) = part.map_err(Unshown)?;
    show(site, move |_| Page::Weights { offset }, String::new()).await
}

pub(super) async fn configuration(State(site): State<Arc<Site>>) -> Shown {
    show(site, |_| Page::Configuration, String::new()).await
}

/// The part of the overview that is fetched again and again.
pub(super) async fn live(State(site): State<Arc<Site>>) -> Shown {
    let status = site.status();
    let made = site.look(move |ledger, standing| Ok(pages::live(standing, status.as_ref(), ledger)?)).await;
    made.map(Html).map_err(Unshown)
}

pub(super) async fn asset(name: Result<Name, Fault>) -> Result<Response, Unshown> {
    let Name(name) = name.map_err(Unshown)?;
    let found = Asset::find(&name).ok_or_else(|| Unshown(Fault::missing("there is nothing of that name")))?;
    // Pages name it with its version: whoever has it need not ask again.
    let cached = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(found.kind)), (header::CACHE_CONTROL, cached)];
    Ok((headers, found.text).into_response())
}

/// Whatever else is asked for.
pub(super) async fn nothing(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    if path.starts_with("/api") {
        let detail = format!("there is nothing at {path}; /api/v1/openapi.json lists what there is");
        return Fault::missing(detail).into_response();
    }
    Unshown(Fault::missing(format!("There is nothing at {path}."))).into_response()
}

async fn show(
    site: Arc<Site>,
    page: impl for<'a> FnOnce(&'a str) -> Page<'a> + Send + 'static,
    name: String,
) -> Shown {
    let status = site.status();
    let made = site
        .look(move |ledger, standing| {
            pages::render(&page(&name), standing, status.as_ref(), ledger)?.ok_or_else(|| {
                let name: String = name.chars().take(80).collect();
                Fault::missing(format!("Nothing is known of \u{201c}{name}\u{201d}."))
            })
        })
        .await;
    made.map(Html).map_err(Unshown)
}

impl IntoResponse for Unshown {
    fn into_response(self) -> Response {
        let Fault { status, detail } = &self.0;
        let page = Html(pages::fault(status.as_u16(), detail));
        let mut response = (*status, page).into_response();
        if let Some(wait) = self.0.into_response().headers().get(header::RETRY_AFTER) {
            response.headers_mut().insert(header::RETRY_AFTER, wait.clone());
        }
        response
    }
}
