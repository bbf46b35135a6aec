//! Requests that cannot be answered.

use crate::store::StoreError;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::warn;

/// Why a request is not answered, as `application/problem+json` (RFC 9457).
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    /// A sentence: what, where, what to do.
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Problem<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), headers: Vec::new() }
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// No key, or none that counts.
    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        let bearer = HeaderValue::from_static("Bearer");
        Self::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, bearer)
    }

    /// To be tried again after so many seconds.
    pub(super) fn later(status: StatusCode, seconds: u64, detail: impl Into<String>) -> Self {
        Self::new(status, detail).with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The program itself is at fault; the log says how.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer could not be made; the server's log says why",
        )
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        // The path of the file is for the owner alone.
        warn!(%error, "a request was not answered");
        Self::later(
            StatusCode::SERVICE_UNAVAILABLE,
            2,
            "the store cannot be read at the moment; the server's log says why",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let problem = Problem { title, status: self.status.as_u16(), detail: &self.detail };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
