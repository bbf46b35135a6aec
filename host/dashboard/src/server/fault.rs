//! Requests that cannot be answered.

use super::api::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mantis_ledger::LedgerError;
use tracing::warn;

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// A sentence: what, where, what to do.
    pub(super) detail: String,
}

impl Fault {
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

    /// It is our own fault, and in the log.
    pub(super) fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer could not be made; the validator's log says why",
        )
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        // Where the file lies is nobody's business but the operator's.
        warn!(%error, "a request was not answered");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the ledger cannot be read at the moment; the validator's log says why",
        )
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let problem = Problem {
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
