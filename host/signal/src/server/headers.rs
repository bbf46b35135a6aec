//! What is done with every request and answer: names that are not ours, methods, what browsers are told.

use super::error::ApiError;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mantis_web::Hosts;
use std::sync::Arc;

/// What browsers are told with every answer.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];
/// What pages of other sites may see of an answer to GET.
const EXPOSED: &str = "content-digest, etag, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, \
                       signature, signature-input";

/// Refuses requests that are for another host. One that names none is no browser's.
pub(super) async fn own_names(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let named = request.headers().get_all(header::HOST).iter();
    let mut named: Vec<&str> = named.map(|host| host.to_str().unwrap_or_default()).collect();
    named.extend(request.uri().authority().map(|authority| authority.as_str()));
    if named.iter().all(|host| hosts.allow(host)) {
        return next.run(request).await;
    }
    let detail =
        "this server does not answer under that name; if it is one of its own, start it with `--host NAME`";
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
}

/// Adds what browsers are told. Pages of other sites may read what anyone may read: without a key.
pub(super) async fn guard(mut request: Request, next: Next) -> Response {
    let method = request.method().clone();
    if method == Method::OPTIONS {
        return preflight();
    }
    // The answer to a HEAD is that to a GET without its body, which is left out where it is sent.
    if method == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if method == Method::GET || method == Method::HEAD {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}

/// A key does not belong into a page, so `Authorization` is not among what pages may send.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "if-none-match, last-event-id"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (header::ALLOW, "GET, HEAD, OPTIONS, POST"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
