//! `GET /v1/stream`: forecasts as they are published, as server-sent events.

use super::super::caller::{Caller, millis};
use super::super::error::ApiError;
use super::super::hub::event;
use super::super::site::{SignalSite, now_ms};
use super::super::usage::{Full, StreamPlace};
use super::query::Params;
use crate::keys::Scope;
use crate::store::DAY_MS;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::poll_fn;
use mantis_web::Place;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How far back `Last-Event-ID` reaches.
const RESUME: i64 = DAY_MS;
/// Time between two comments that say that the stream goes on; the key is looked at again as often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Time between two looks at what a delayed stream may be given.
const DELAYED: Duration = Duration::from_secs(2);
/// Pieces that may wait for a reader, and bytes of one, about.
const WAITING: usize = 4;
const PIECE: usize = 32 << 10;
/// Forecasts that are read at once.
const PAGE: usize = 200;
/// Signals of one stream.
const SIGNALS: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct StreamQuery {
    signals: Option<String>,
}

/// One stream, as it is written.
struct Writer {
    site: Arc<SignalSite>,
    caller: Caller,
    tickers: Vec<String>,
    /// All up to this number was sent, or is not for this stream.
    sent: i64,
    out: mpsc::Sender<Bytes>,
    connection: Option<Arc<Place>>,
    _place: StreamPlace,
}

/// The reader has gone, or takes nothing.
struct Gone;

pub(in super::super) async fn stream(
    State(site): State<Arc<SignalSite>>,
    caller: Caller,
    Params(query): Params<StreamQuery>,
    connection: Option<Extension<Arc<Place>>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.check(Scope::Stream)?;
    let (asker, wanted) = (caller.clone(), query.signals);
    let tickers = site.read(move |site| tickers(site, &asker, wanted.as_deref())).await?;
    let all = site.plans.serving.streams;
    // Those who pay find a place, however many others there are.
    let all = if caller.key.is_some() { all } else { all.div_ceil(2) };
    let place = site.streams.place(&caller.name, caller.plan.streams, all);
    let place = place.map_err(|full| match full {
        Full::Caller => {
            let detail =
                format!("{} streams at the same time are all that your plan has", caller.plan.streams);
            ApiError::later(StatusCode::TOO_MANY_REQUESTS, 5, detail)
        }
        Full::All => {
            ApiError::later(StatusCode::SERVICE_UNAVAILABLE, 10, "there are too many streams at the moment")
        }
    })?;
    let last = headers.get("last-event-id").map(last_event).transpose()?;
    let asker = caller.clone();
    let (sent, gap) = site.read(move |site| begin(site, &asker, last)).await?;
    let (out, mut pieces) = mpsc::channel(WAITING);
    let mut hello = String::from("retry: 2000\n\n");
    if let Some(first) = gap {
        hello += &format!("event: gap\ndata: {{\"resumes_from\":{first}}}\n\n");
    }
    let _ = out.try_send(hello.into());
    let connection = connection.map(|Extension(place)| place);
    // A connection with a stream is not idle.
    let busy = connection.as_ref().map(Place::busy);
    let writer = Writer { site, caller, tickers, sent, out, connection, _place: place };
    tokio::spawn(writer.run());
    let body = Body::from_stream(poll_fn(move |context| {
        let _held = &busy;
        pieces.poll_recv(context).map(|piece| piece.map(Ok::<_, Infallible>))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    // Proxies that collect answers are asked not to.
    Ok((headers, [("x-accel-buffering", "no")], body).into_response())
}

fn tickers(site: &SignalSite, caller: &Caller, wanted: Option<&str>) -> Result<Vec<String>, ApiError> {
    let Some(wanted) = wanted else {
        let all = site.signals()?.into_iter().map(|signal| signal.ticker);
        return Ok(all.filter(|ticker| caller.is_for(ticker)).collect());
    };
    let mut tickers: Vec<String> = wanted.split(',').map(|ticker| ticker.trim().to_owned()).collect();
    tickers.sort();
    tickers.dedup();
    if tickers.len() > SIGNALS {
        return Err(ApiError::bad(format!("`signals` names {}; allowed are {SIGNALS}", tickers.len())));
    }
    for ticker in &tickers {
        site.signal(ticker)?;
        caller.check_signal(ticker)?;
    }
    Ok(tickers)
}

fn last_event(value: &HeaderValue) -> Result<i64, ApiError> {
    let text = value.to_str().unwrap_or_default();
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| {
        ApiError::bad("`Last-Event-ID` is not the number of a forecast: send the id of an event")
    })
}

/// The number after which the stream begins, and the first one that is sent if some were left out.
fn begin(site: &SignalSite, caller: &Caller, last: Option<i64>) -> Result<(i64, Option<i64>), ApiError> {
    let until = caller.until(now_ms());
    let next = if caller.plan.delay.is_zero() {
        site.hub.newest().max(site.store.refresh()?) + 1
    } else {
        site.store.seq_at(until.saturating_add(1))?
    };
    let Some(last) = last else { return Ok((next - 1, None)) };
    let first = site.store.seq_at(until.saturating_sub(RESUME))?;
    // One that is yet to come: the store was put back, or it was made up.
    let last = last.min(next - 1);
    Ok(if last < first - 1 { (first - 1, Some(first)) } else { (last, None) })
}

impl Writer {
    async fn run(mut self) {
        let _ = if self.caller.plan.delay.is_zero() { self.live().await } else { self.late().await };
    }

    /// Sends what is published as soon as it is.
    async fn live(&mut self) -> Result<(), Gone> {
        let site = self.site.clone();
        let mut newest = site.hub.watch();
        let mut beat = Instant::now() + HEARTBEAT;
        loop {
            newest.borrow_and_update();
            while self.sent < site.hub.newest() {
                match site.hub.after(self.sent, &self.tickers, PIECE) {
                    Some((bytes, count, last)) => {
                        self.send(bytes, count).await?;
                        self.sent = last;
                    }
                    None => self.send_stored(i64::MAX).await?,
                }
            }
            tokio::select! {
                changed = newest.changed() => if changed.is_err() { return Err(Gone) },
                () = tokio::time::sleep_until(beat) => {
                    self.beat().await?;
                    beat = Instant::now() + HEARTBEAT;
                }
                () = self.out.closed() => return Err(Gone),
            }
        }
    }

    /// Sends what has become old enough.
    async fn late(&mut self) -> Result<(), Gone> {
        let delay = millis(self.caller.plan.delay);
        let mut beat = Instant::now() + HEARTBEAT;
        loop {
            loop {
                let before = self.sent;
                self.send_stored(now_ms().saturating_sub(delay)).await?;
                if self.sent == before {
                    break;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(DELAYED) => {}
                () = self.out.closed() => return Err(Gone),
            }
            if beat <= Instant::now() {
                self.beat().await?;
                beat = Instant::now() + HEARTBEAT;
            }
        }
    }

    /// Sends a page of what the store has, published up to a time.
    async fn send_stored(&mut self, until: i64) -> Result<(), Gone> {
        let (sent, tickers) = (self.sent, self.tickers.clone());
        let page = self.site.read(move |site| {
            let newest = site.store.refresh()?;
            let page = site.store.after(sent, &tickers, until, PAGE)?;
            let whole = page.len() < PAGE && until == i64::MAX;
            // Of all that there was, none is left for this stream.
            let last = page.last().map(|forecast| forecast.seq);
            let last = if whole { Some(newest.max(sent).max(last.unwrap_or(0))) } else { last };
            let events: Vec<Bytes> = page.iter().map(|forecast| event(forecast, &site.key)).collect();
            Ok((events, last))
        });
        let Ok((events, last)) = page.await else {
            // The store cannot be read for now; the reader comes again.
            return Err(Gone);
        };
        for some in events.chunks(32) {
            self.send(some.concat(), i64::try_from(some.len()).unwrap_or(0)).await?;
        }
        self.sent = last.unwrap_or(self.sent);
        Ok(())
    }

    /// A comment, if the key still counts.
    async fn beat(&mut self) -> Result<(), Gone> {
        if let Some(kept) = &self.caller.key {
            let id = kept.key.id.clone();
            let found = self.site.read(move |site| Ok(site.store.key(&id)?)).await;
            let now = now_ms() / 1000;
            let counts = found
                .ok()
                .flatten()
                .is_some_and(|kept| kept.revoked.is_none() && kept.key.expires.is_none_or(|end| end > now));
            if !counts {
                return Err(Gone);
            }
        }
        self.send(b": so far\n\n".to_vec(), 0).await
    }

    async fn send(&mut self, bytes: Vec<u8>, events: i64) -> Result<(), Gone> {
        if bytes.is_empty() {
            return Ok(());
        }
        match self.out.send_timeout(bytes.into(), self.site.plans.serving.stall).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(Gone),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                // It takes nothing: what waits for it in the system goes with its connection.
                if let Some(connection) = &self.connection {
                    connection.close();
                }
                return Err(Gone);
            }
        }
        if let Some(kept) = self.caller.key.as_ref().filter(|_| events > 0) {
            self.site.usage.count(&kept.key.id, now_ms(), 0, events);
        }
        Ok(())
    }
}
