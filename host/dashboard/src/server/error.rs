//! Requests that cannot be answered, and servers that cannot be started.

use super::pages;
use crate::sections::RenderError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use mantis_ledger::LedgerError;
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

/// Why a request is not answered, for programs (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// What kind of fault it is: the HTTP status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
}

/// Why a request is not answered, as `application/problem+json`.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    /// A sentence: what, where, what to do.
    pub(super) detail: String,
}

/// Why a page is not shown, as a page.
#[derive(Debug)]
pub(super) struct PageError(pub(super) ApiError);

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// There is nothing like that.
    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The ledger is being read for the first time.
    pub(super) fn starting() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the ledger is being read; try again in a few seconds")
    }

    /// The program itself is at fault; the log says how.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer could not be made; the validator's log says why",
        )
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        // The path of the file is for the operator alone.
        warn!(%error, "a request was not answered");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the ledger cannot be read at the moment; the validator's log says why",
        )
    }
}

impl From<RenderError> for ApiError {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Ledger(error) => error.into(),
            RenderError::Template(error) => {
                warn!(%error, "a page was not made");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        retry_later(response)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let ApiError { status, detail } = &self.0;
        match pages::error_page(status.as_u16(), detail) {
            Ok(page) => reload_later(retry_later((*status, Html(page)).into_response())),
            Err(_) => self.0.into_response(),
        }
    }
}

/// Has a browser ask again by itself, if that may help.
fn reload_later(mut response: Response) -> Response {
    if let Some(seconds) = response.headers().get(header::RETRY_AFTER).cloned() {
        response.headers_mut().insert(header::REFRESH, seconds);
    }
    response
}

/// Says when to ask again, if that may help.
fn retry_later(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}
