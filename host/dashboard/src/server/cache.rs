//! Answers that are kept for a moment: what a thousand readers ask is worked out once.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(2);
/// Answers, and bytes of them, that are kept at most.
const MOST: usize = 2048;
const MOST_BYTES: usize = 64 << 20;

/// Answers by path and query.
#[derive(Default)]
pub(super) struct Cache {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<String, (Instant, Answer)>,
    bytes: usize,
}

/// An answer that can be given again.
#[derive(Clone)]
pub(super) struct Answer {
    content_type: HeaderValue,
    etag: HeaderValue,
    body: Bytes,
}

impl Cache {
    pub(super) fn clear(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    pub(super) fn get(&self, key: &str) -> Option<Answer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, answer) = kept.answers.get(key)?;
        (made.elapsed() < FRESH).then(|| answer.clone())
    }

    pub(super) fn put(&self, key: &str, answer: &Answer) {
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

impl Answer {
    pub(super) fn new(headers: &HeaderMap, body: Bytes) -> Self {
        let plain = || HeaderValue::from_static("application/octet-stream");
        let digest = Sha256::digest(&body);
        let etag = format!("\"{}\"", hex::encode(digest.get(..12).unwrap_or_default()));
        Self {
            content_type: headers.get(header::CONTENT_TYPE).cloned().unwrap_or_else(plain),
            etag: HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            body,
        }
    }

    pub(super) fn respond(&self, known: Option<&HeaderValue>) -> Response {
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
