//! Fetching the files of one sampled block.

use super::budget::Budget;
use super::resolve::{Lookup, PublicOnly, System};
use super::url_rules::{UrlRejection, UrlRules, check_url};
use crate::http::{self, HttpError};
use futures_util::{StreamExt as _, stream};
use mantis_config as config;
use mantis_payload::json::JsonLimits;
use reqwest::{Client, Url};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};

/// How often a file is asked for where this machine fails, and the pause before the next time.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// What came of one hotkey.
#[derive(Clone, Debug, PartialEq)]
pub struct Collected {
    /// The hotkey.
    pub hotkey: String,
    /// The body of its file, not judged yet; or why there is none.
    pub outcome: Result<Vec<u8>, FetchError>,
}

/// Why a miner's file was not collected.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Nothing committed.
    #[error("nothing is committed on the chain; commit the URL of the payload")]
    NotCommitted,
    /// The URL is not followed.
    #[error(transparent)]
    Url(#[from] UrlRejection),
    /// The server did not give it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The round was over before the file was there.
    #[error("the file was not there when the round ended, {seconds} s after its beginning")]
    RoundOver {
        /// Length of the round, s.
        seconds: f64,
    },
}

impl FetchError {
    /// A word for counting and for programs; it does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCommitted => "not_committed",
            Self::Url(fault) => fault.code(),
            Self::Http(fault) => fault.code(),
            Self::RoundOver { .. } => "round_over",
        }
    }

    /// Whether it is a fault of this machine, which must count against nobody else.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Http(HttpError::Ours { .. }))
    }
}

/// Fetches miners' files.
#[derive(Clone)]
pub struct Collector {
    client: Client,
    rules: UrlRules,
    limits: config::Collect,
}

impl Collector {
    /// A collector by the rules and limits of the configuration.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(collect: &config::Collect) -> Result<Self, HttpError> {
        Self::with_lookup(collect, Arc::new(System))
    }

    pub(super) fn with_lookup(collect: &config::Collect, lookup: Arc<dyn Lookup>) -> Result<Self, HttpError> {
        let client = http::builder()
            .dns_resolver(PublicOnly { lookup, allow_loopback: collect.allow_loopback })
            .connect_timeout(collect.connect_timeout)
            .read_timeout(collect.idle_timeout)
            .timeout(collect.timeout)
            // A round comes a minute after the last one; servers have closed their side by then.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, rules: collect.into(), limits: collect.clone() })
    }

    /// Fetches the files of `hotkeys` by what they have committed (text by hotkey), and says of each what came of it,
    /// in their order.
    ///
    /// Ends within `round_timeout`, however slow the servers are, and holds at most `round_bytes`. Dropping it ends it at once.
    pub async fn round(&self, commitments: &BTreeMap<String, String>, hotkeys: &[String]) -> Vec<Collected> {
        let end = Instant::now() + self.limits.round_timeout;
        let seconds = self.limits.round_timeout.as_secs_f64();
        let mut collected: Vec<Collected> = Vec::with_capacity(hotkeys.len());
        let mut urls = Vec::new();
        for (at, hotkey) in hotkeys.iter().enumerate() {
            let checked = match commitments.get(hotkey) {
                None => Err(FetchError::NotCommitted),
                Some(text) => check_url(text, hotkey, &self.rules).map_err(FetchError::from),
            };
            let outcome = match checked {
                Ok(url) => {
                    urls.push((at, url));
                    Err(FetchError::RoundOver { seconds })
                }
                Err(fault) => Err(fault),
            };
            collected.push(Collected { hotkey: hotkey.clone(), outcome });
        }

        let budget = Budget::new(self.limits.round_bytes, urls.len(), self.max_bytes());
        let fetches = urls.into_iter().map(|(at, url)| {
            let budget = &budget;
            async move { (at, self.file(url, budget).await) }
        });
        let mut fetches = stream::iter(fetches).buffer_unordered(self.limits.parallel.max(1));
        // What is still running at the end keeps its `RoundOver`, and is stopped as the stream is dropped.
        while let Ok(Some((at, outcome))) = timeout_at(end, fetches.next()).await {
            collected[at].outcome = outcome;
        }
        drop(fetches);
        collected
    }

    async fn file(&self, url: Url, budget: &Budget) -> Result<Vec<u8>, FetchError> {
        let mut tries = 1;
        loop {
            let mut lease = budget.lease();
            match http::fetch(self.client.get(url.clone()), self.max_bytes(), &mut lease).await {
                Ok(body) => {
                    lease.keep();
                    return Ok(body);
                }
                // What this machine lacks is free again when others are done.
                Err(HttpError::Ours { .. }) if tries < TRIES => {
                    tries += 1;
                    sleep(PAUSE).await;
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Bytes that a file may have: no more than the largest payload can.
    fn max_bytes(&self) -> u64 {
        let payload = JsonLimits::of_payload(self.limits.plaintext_bytes).bytes;
        self.limits.max_bytes.min(payload as u64)
    }
}
