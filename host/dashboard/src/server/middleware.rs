//! What is done with every request: answers are kept, guarded and counted.

use super::cache::Answer;
use super::error::ApiError;
use super::site::Site;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mantis_web::Hosts;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of one answer at most.
const LONGEST: usize = 32 << 20;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// What browsers are told with every answer.
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

/// Answers from what is kept, or waits for a turn to make the answer.
pub(super) async fn answer(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let key = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    if let Some(answer) = site.cache.get(&key) {
        return answer.respond(known.as_ref());
    }
    let Ok(Ok(_turn)) = tokio::time::timeout(PATIENCE, site.permits.acquire()).await else {
        let detail = "too many requests at once; try again in a few seconds";
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    };
    // The request that had the turn before may have asked the same.
    if let Some(answer) = site.cache.get(&key) {
        return answer.respond(known.as_ref());
    }
    // The answer to a HEAD is that to a GET without its body, which is left out where it is sent.
    let mut request = request;
    *request.method_mut() = Method::GET;
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return ApiError::internal().into_response() };
    let answer = Answer::new(&parts.headers, body);
    site.cache.put(&key, &answer);
    answer.respond(known.as_ref())
}

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

/// Adds what browsers are told.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Counts answers by their status.
pub(super) async fn count(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    site.traffic.count(response.status());
    response
}
