//! Answers that are kept for a moment: what a thousand buyers ask at once is made and signed once.

use axum::body::Bytes;
use axum::http::HeaderMap;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Answers, and bytes of them, that are kept at most.
const MOST: usize = 2048;
const MOST_BYTES: usize = 32 << 20;

/// Answers by plan, path and query, of one moment.
#[derive(Default)]
pub(super) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    moment: Moment,
    answers: HashMap<String, (HeaderMap, Bytes)>,
    bytes: usize,
}

/// What an answer depends on beside who asks what: the second, and the newest forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) second: i64,
    pub(super) newest: i64,
}

impl Cache {
    pub(super) fn get(&self, moment: Moment, key: &str) -> Option<(HeaderMap, Bytes)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.moment == moment).then(|| kept.answers.get(key).cloned()).flatten()
    }

    pub(super) fn put(&self, moment: Moment, key: String, headers: HeaderMap, body: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.moment != moment {
            *kept = Kept { moment, ..Kept::default() };
        }
        if kept.answers.len() < MOST && kept.bytes + body.len() <= MOST_BYTES {
            kept.bytes += body.len();
            kept.answers.insert(key, (headers, body));
        }
    }
}
