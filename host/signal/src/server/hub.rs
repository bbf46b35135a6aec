//! The newest forecasts as events, made once for all streams that are not delayed.

use crate::signing::SigningKey;
use crate::store::{ANY_TIME, Published, Store, StoreError};
use axum::body::Bytes;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};
use tokio::sync::watch;

/// Events that are kept; who is further behind is given them from the store.
const KEPT: usize = 4096;
/// Forecasts that are read at once.
const PAGE: usize = 500;

/// What one signature of a forecast is of: these words, a line's end, and the hash.
const SIGNED: &str = "mantis-signal-forecast-1";

/// The newest events.
pub(super) struct Hub {
    ring: RwLock<Ring>,
    newest: watch::Sender<i64>,
}

struct Ring {
    events: VecDeque<Event>,
    /// All with larger numbers, up to `newest`, are in `events`.
    after: i64,
    newest: i64,
}

#[derive(Clone)]
struct Event {
    seq: i64,
    ticker: String,
    bytes: Bytes,
}

/// What a stream is sent of a forecast.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    forecast: &'a Published,
    /// Ed25519, 64 bytes as hexadecimal digits, of `mantis-signal-forecast-1`, a line's end, and `hash`.
    signature: String,
}

impl Hub {
    pub(super) fn new(newest: i64) -> Self {
        let ring = Ring { events: VecDeque::new(), after: newest, newest };
        Self { ring: RwLock::new(ring), newest: watch::channel(newest).0 }
    }

    /// The newest number, whenever there is another.
    pub(super) fn watch(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// Takes what was published since. Blocks.
    pub(super) fn refresh(&self, store: &Store, key: &SigningKey) -> Result<(), StoreError> {
        let known = self.newest();
        if store.refresh()? <= known {
            return Ok(());
        }
        loop {
            let page = store.after_all(self.newest(), ANY_TIME, PAGE)?;
            if page.is_empty() {
                break;
            }
            let events: Vec<Event> = page
                .into_iter()
                .map(|forecast| Event {
                    seq: forecast.seq,
                    bytes: event(&forecast, key),
                    ticker: forecast.ticker,
                })
                .collect();
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                ring.newest = event.seq;
                ring.events.push_back(event);
                if ring.events.len() > KEPT {
                    let gone = ring.events.pop_front();
                    ring.after = gone.map_or(ring.after, |gone| gone.seq);
                }
            }
        }
        let newest = self.newest();
        self.newest.send_replace(newest);
        Ok(())
    }

    pub(super) fn newest(&self) -> i64 {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).newest
    }

    /// Events of these signals after a number, about so many bytes of them, how many, and up to which number they are all;
    /// `None` if that is too far back.
    pub(super) fn after(&self, seq: i64, tickers: &[String], most: usize) -> Option<(Vec<u8>, i64, i64)> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        if seq < ring.after {
            return None;
        }
        // Numbers have no gaps.
        let skip = usize::try_from(seq - ring.after).unwrap_or(usize::MAX);
        let (mut bytes, mut count, mut last) = (Vec::new(), 0, seq.max(ring.newest));
        for event in ring.events.iter().skip(skip) {
            if bytes.len() >= most {
                last = event.seq - 1;
                break;
            }
            if tickers.contains(&event.ticker) {
                bytes.extend_from_slice(&event.bytes);
                count += 1;
            }
        }
        Some((bytes, count, last))
    }
}

/// A forecast as an event of a stream.
pub(super) fn event(forecast: &Published, key: &SigningKey) -> Bytes {
    let signature = hex::encode(key.sign(format!("{SIGNED}\n{}", forecast.hash).as_bytes()));
    let body = serde_json::to_string(&Body { forecast, signature }).unwrap_or_default();
    format!("id: {}\nevent: forecast\ndata: {body}\n\n", forecast.seq).into()
}
