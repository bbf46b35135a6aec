//! Where answers come from.

use super::cache::{Cache, Moment};
use super::error::ApiError;
use super::hub::Hub;
use super::limits::Limits;
use super::usage::{Streams, Usage};
use crate::keys::{Standing, Token, standing};
use crate::plans::Plans;
use crate::record::{Record, record};
use crate::signing::SigningKey;
use crate::store::{FitInfo, KeyRecord, Span, Store};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tracing::warn;

/// How long a key is believed without looking: so much later a revoked one is refused at most.
const KEY_FRESH: Duration = Duration::from_secs(1);
/// Keys that are remembered.
const KEYS: usize = 10_000;
/// How long a record is good for: so long, or so many times as long as it took to make.
const RECORD_FRESH: Duration = Duration::from_secs(60);
const RECORD_TIMES: u32 = 100;
const RECORDS: usize = 256;
/// Time between two looks for forecasts of another process, and between two at what keys were used for.
const LOOK: Duration = Duration::from_millis(250);
const FLUSH: Duration = Duration::from_secs(5);
/// Reads of the store at the same time.
const AT_ONCE: usize = 8;

/// A record, and until when it is good.
type KeptRecord = (Instant, Arc<Record>);
/// A key's record, and since when it is believed.
type KeptKey = (Instant, Option<Arc<KeyRecord>>);

/// A store, the plans by which it is shown, and what was read of it.
pub struct SignalSite {
    pub(super) store: Arc<Store>,
    pub(super) plans: Plans,
    pub(super) key: Arc<SigningKey>,
    pub(super) netuid: Option<u16>,
    pub(super) hub: Hub,
    pub(super) cache: Cache,
    pub(super) limits: Limits,
    pub(super) usage: Usage,
    pub(super) streams: Streams,
    keys: Mutex<HashMap<String, KeptKey>>,
    records: Mutex<HashMap<(String, u32, String), KeptRecord>>,
    /// Held while a record is made: each takes a processor.
    making: AsyncMutex<()>,
    reads: Semaphore,
    /// What makes the forecasts, where this process does.
    maker: OnceLock<Making>,
    /// Whether the store could be read and written at the last look.
    pub(super) well: AtomicBool,
}

/// Says whether what makes the forecasts is well, and how it stands.
pub type Making = Box<dyn Fn() -> (bool, serde_json::Value) + Send + Sync>;

impl SignalSite {
    /// A site of a store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn new(
        store: Arc<Store>,
        plans: Plans,
        key: Arc<SigningKey>,
        netuid: Option<u16>,
    ) -> Result<Arc<Self>, crate::store::StoreError> {
        let hub = Hub::new(store.refresh()?);
        Ok(Arc::new(Self {
            store,
            plans,
            key,
            netuid,
            hub,
            cache: Cache::default(),
            limits: Limits::default(),
            usage: Usage::default(),
            streams: Streams::default(),
            keys: Mutex::default(),
            records: Mutex::default(),
            making: AsyncMutex::default(),
            reads: Semaphore::new(AT_ONCE),
            maker: OnceLock::new(),
            well: AtomicBool::new(true),
        }))
    }

    /// Shows what makes the forecasts in `/readyz`, too. Set once.
    pub fn show_making(&self, making: Making) {
        let _ = self.maker.set(making);
    }

    /// How what makes the forecasts stands; `None` where another process does.
    pub(super) fn making(&self) -> Option<(bool, serde_json::Value)> {
        self.maker.get().map(|state| state())
    }

    /// Asks the store, on a thread that may wait.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Ok(_turn) = self.reads.acquire().await else { return Err(ApiError::internal()) };
        let site = self.clone();
        tokio::task::spawn_blocking(move || read(&site)).await.unwrap_or_else(|error| {
            warn!(%error, "an answer broke off");
            Err(ApiError::internal())
        })
    }

    /// Now, as far as answers are concerned.
    pub(super) fn moment(&self) -> Moment {
        Moment { second: now_ms() / 1000, newest: self.hub.newest() }
    }

    /// Whether a key counts, and what is kept of it.
    pub(super) async fn look_up(
        self: &Arc<Self>,
        token: &Token,
    ) -> Result<(Standing, Option<Arc<KeyRecord>>), ApiError> {
        let id = token.id().to_owned();
        let known = {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.get(&id).filter(|(at, _)| at.elapsed() < KEY_FRESH).map(|(_, kept)| kept.clone())
        };
        let kept = match known {
            Some(kept) => kept,
            None => {
                let asked = id.clone();
                let found = self.read(move |site| Ok(site.store.key(&asked)?.map(Arc::new))).await?;
                let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                if keys.len() >= KEYS {
                    keys.clear();
                }
                // One that is not there may be made at any moment, and strangers may ask for any number of them.
                if found.is_some() {
                    keys.insert(id, (Instant::now(), found.clone()));
                }
                found
            }
        };
        Ok((standing(token, kept.as_deref(), now_ms() / 1000), kept))
    }

    /// Forgets what is known of keys.
    pub(super) fn forget_keys(&self) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The record of a signal over so many days, of what may be known by a plan.
    pub(super) async fn record(
        self: &Arc<Self>,
        signal: &FitInfo,
        days: u32,
        plan: &str,
        span: Span,
    ) -> Result<Arc<Record>, ApiError> {
        let key = (signal.ticker.clone(), days, plan.to_owned());
        if let Some(kept) = self.kept_record(&key) {
            return Ok(kept);
        }
        let _turn = self.making.lock().await;
        // The one that had the turn before may have made it.
        if let Some(kept) = self.kept_record(&key) {
            return Ok(kept);
        }
        let (ticker, outlook) = (signal.ticker.clone(), signal.outlook.clone());
        let begun = Instant::now();
        let made = self
            .read(move |site| Ok(Arc::new(record(&site.store.settled(&ticker, span)?, &outlook))))
            .await?;
        let now = Instant::now();
        let good = now + RECORD_FRESH.max(RECORD_TIMES * begun.elapsed());
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.retain(|_, (until, _)| now < *until);
        if records.len() < RECORDS {
            records.insert(key, (good, made.clone()));
        }
        Ok(made)
    }

    fn kept_record(&self, key: &(String, u32, String)) -> Option<Arc<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(key).filter(|(until, _)| Instant::now() < *until).map(|(_, kept)| kept.clone())
    }

    /// The signals that are shown.
    pub(super) fn signals(&self) -> Result<Vec<FitInfo>, ApiError> {
        let mut signals = self.store.signals()?;
        signals.retain(|signal| !self.plans.offer(&signal.ticker).hidden);
        Ok(signals)
    }

    /// A signal that is shown.
    pub(super) fn signal(&self, ticker: &str) -> Result<FitInfo, ApiError> {
        let found = self.signals()?.into_iter().find(|signal| signal.ticker == ticker);
        found.ok_or_else(|| {
            let ticker: String = ticker.chars().take(64).collect();
            ApiError::missing(format!("there is no signal {ticker}; /v1/signals lists those there are"))
        })
    }

    /// Keeps up with the store; ends only when it is dropped.
    pub(super) async fn keep_up(self: Arc<Self>) {
        let mut published = self.store.watch();
        let mut flushed = Instant::now();
        let mut said = false;
        loop {
            let site = self.clone();
            let due = flushed.elapsed() >= FLUSH;
            let done = tokio::task::spawn_blocking(move || {
                site.hub.refresh(&site.store, &site.key)?;
                if due { site.usage.flush(&site.store) } else { Ok(()) }
            });
            let done = done.await;
            self.well.store(matches!(done, Ok(Ok(()))), Ordering::Relaxed);
            match done {
                Ok(Ok(())) => said = false,
                Ok(Err(error)) if !said => {
                    warn!(%error, "the store cannot be read or written");
                    said = true;
                }
                Ok(Err(_)) => {}
                Err(error) => warn!(%error, "keeping up broke off"),
            }
            if due {
                flushed = Instant::now();
            }
            // The store's own watch tells of this process's, the time of another's.
            let _ = tokio::time::timeout(LOOK, published.changed()).await;
        }
    }
}

/// Now, in Unix milliseconds.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
