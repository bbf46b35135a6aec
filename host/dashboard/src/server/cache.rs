//! Answers that are kept for a moment: whatever a thousand readers ask, it is worked out once.

use super::fault::Fault;
use super::site::Site;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(2);
/// Answers, and bytes of them, that are kept at most.
const MOST: usize = 2048;
const MOST_BYTES: usize = 64 << 20;
/// Bytes of one answer at most.
const LONGEST: usize = 32 << 20;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Cache {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<String, (Instant, Answer)>,
    bytes: usize,
}

#[derive(Clone)]
struct Answer {
    content_type: HeaderValue,
    etag: HeaderValue,
    body: Bytes,
}

impl Cache {
    pub(super) fn clear(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    fn get(&self, key: &str) -> Option<Answer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, answer) = kept.answers.get(key)?;
        (made.elapsed() < FRESH).then(|| answer.clone())
    }

    fn put(&self, key: &str, answer: &Answer) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.answers.len() >= MOST || kept.bytes + answer.body.len() > MOST_BYTES {
            kept.answers.retain(|_, (made, _)| made.elapsed() < FRESH);
            kept.bytes = kept.answers.values().map(|(_, answer)| answer.body.len()).sum();
            if kept.answers.len() >= MOST || kept.bytes + answer.body.len() > MOST_BYTES {
                return;
            }
        }
        kept.bytes += answer.body.len();
        if let Some((_, old)) = kept.answers.insert(key.to_owned(), (Instant::now(), answer.clone())) {
            kept.bytes -= old.body.len();
        }
    }
}

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
        return Fault::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    };
    // Whoever had the turn before may have asked the same.
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
    let Ok(body) = to_bytes(body, LONGEST).await else { return Fault::broken().into_response() };
    let answer = Answer::new(&parts.headers, body);
    site.cache.put(&key, &answer);
    answer.respond(known.as_ref())
}

impl Answer {
    fn new(headers: &HeaderMap, body: Bytes) -> Self {
        let plain = || HeaderValue::from_static("application/octet-stream");
        let digest = Sha256::digest(&body);
        let etag = format!("\"{}\"", hex::encode(digest.get(..12).unwrap_or_default()));
        Self {
            content_type: headers.get(header::CONTENT_TYPE).cloned().unwrap_or_else(plain),
            etag: HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            body,
        }
    }

    fn respond(&self, known: Option<&HeaderValue>) -> Response {
        let headers = [
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if known == Some(&self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, self.content_type.clone())];
        (headers, content_type, Body::from(self.body.clone())).into_response()
    }
}
