//! Fetching the beacon's signatures over HTTP.

use crate::http::{HttpError, builder, fetch};
use mantis_config::bare_url;
use mantis_payload::beacon::Scheme;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::OnceCell;

/// No answer of a beacon is longer, bytes.
const MAX_ANSWER: u64 = 4096;
/// How long one endpoint may take for one round.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a signature was not had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BeaconError {
    /// Every endpoint says that the round is not out.
    #[error("beacon round {round} is not out yet; try again later")]
    NotYet {
        /// The round.
        round: u64,
    },
    /// No endpoint gave an answer that can be used, and none a wrong signature.
    #[error(
        "no beacon endpoint gave round {round}: {reasons}; is the network up, and `api` in [beacon] right?"
    )]
    Unavailable {
        /// The round.
        round: u64,
        /// What became of each endpoint.
        reasons: String,
    },
    /// An endpoint gave something that is not the beacon's signature of the round, and none gave that.
    #[error(
        "{endpoint} gave a signature of round {round} that is not the beacon's; remove the endpoint, or correct \
         `public_key` in [beacon]"
    )]
    Invalid {
        /// The round.
        round: u64,
        /// Base of the endpoint.
        endpoint: String,
    },
}

type Fetched = Result<[u8; 48], BeaconError>;

/// A beacon's client. What it returns was verified. Cheap to clone; clones share what is under way.
#[derive(Clone)]
pub struct BeaconClient(Arc<Shared>);

struct Shared {
    scheme: Scheme,
    http: reqwest::Client,
    /// Bases, in the order they are tried: one that failed goes to the end.
    endpoints: Mutex<Vec<String>>,
    /// Rounds being fetched: another request for one waits for the same fetch.
    under_way: Mutex<HashMap<u64, Arc<OnceCell<Fetched>>>>,
}

/// What one endpoint said.
enum Answer {
    Signature([u8; 48]),
    NotYet,
    Wrong,
    Failed(String),
}

#[derive(Deserialize)]
struct Body {
    signature: String,
}

impl BeaconClient {
    /// A client of a beacon; `endpoints` are the bases of its API: `{base}/beacons/quicknet/rounds/N`.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(scheme: Scheme, endpoints: &[String]) -> Result<Self, HttpError> {
        let http = builder().timeout(PATIENCE).connect_timeout(PATIENCE).build()?;
        Ok(Self(Arc::new(Shared {
            scheme,
            http,
            endpoints: Mutex::new(endpoints.iter().map(|base| base.trim_end_matches('/').into()).collect()),
            under_way: Mutex::default(),
        })))
    }

    /// The beacon.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.0.scheme
    }

    /// The beacon's signature of a round, verified. Asked for a round that is being fetched, it waits for that fetch;
    /// endpoints are tried one after the other, 5 s each.
    ///
    /// # Errors
    /// [`BeaconError`]. Nothing is remembered of a failure: ask again later.
    pub async fn signature(&self, round: u64) -> Result<[u8; 48], BeaconError> {
        let cell = lock(&self.0.under_way).entry(round).or_default().clone();
        let outcome = cell.get_or_init(|| self.try_all(round)).await.clone();
        let mut under_way = lock(&self.0.under_way);
        // Somebody may have begun a fetch of the same round again.
        if under_way.get(&round).is_some_and(|current| Arc::ptr_eq(current, &cell)) {
            under_way.remove(&round);
        }
        outcome
    }

    async fn try_all(&self, round: u64) -> Fetched {
        let endpoints = lock(&self.0.endpoints).clone();
        let (mut not_yet, mut wrong, mut reasons) = (0, None, Vec::new());
        for base in endpoints {
            match self.try_one(&base, round).await {
                Answer::Signature(signature) => return Ok(signature),
                Answer::NotYet => {
                    not_yet += 1;
                    reasons.push(format!("{}: says that it is not out", bare_url(&base)));
                }
                Answer::Wrong => {
                    self.demote(&base);
                    wrong = wrong.or(Some(base));
                }
                Answer::Failed(reason) => {
                    self.demote(&base);
                    reasons.push(format!("{}: {reason}", bare_url(&base)));
                }
            }
        }
        match wrong {
            Some(base) => Err(BeaconError::Invalid { round, endpoint: bare_url(&base) }),
            None if reasons.is_empty() => {
                Err(BeaconError::Unavailable { round, reasons: "none is configured".into() })
            }
            None if not_yet == reasons.len() => Err(BeaconError::NotYet { round }),
            None => Err(BeaconError::Unavailable { round, reasons: reasons.join("; ") }),
        }
    }

    async fn try_one(&self, base: &str, round: u64) -> Answer {
        let request = self.0.http.get(format!("{base}/beacons/quicknet/rounds/{round}"));
        let body = match fetch(request, MAX_ANSWER, &mut ()).await {
            Ok(body) => body,
            Err(HttpError::Status { status: 404 | 425 }) => return Answer::NotYet,
            Err(fault) => return Answer::Failed(fault.to_string()),
        };
        let Ok(Body { signature: digits }) = serde_json::from_slice(&body) else {
            return Answer::Failed("its answer is not {\"signature\": hex}".into());
        };
        let mut signature = [0; 48];
        if digits.len() != 96 || hex::decode_to_slice(&digits, &mut signature).is_err() {
            return Answer::Failed("its signature is not 96 hexadecimal digits".into());
        }
        if self.0.scheme.verify(round, &signature) { Answer::Signature(signature) } else { Answer::Wrong }
    }

    /// Moves an endpoint to the end.
    fn demote(&self, base: &str) {
        let mut endpoints = lock(&self.0.endpoints);
        if let Some(at) = endpoints.iter().position(|other| other == base) {
            let base = endpoints.remove(at);
            endpoints.push(base);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
