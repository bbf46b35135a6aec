//! A beacon of one's own over HTTP: the API of drand, with a clock that can be set.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Router, routing};
use mantis_payload::beacon::Scheme;
use mantis_payload::beacon::signing::BeaconKey;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A clock: Unix seconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A running beacon on a loopback port of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct BeaconServer {
    address: SocketAddr,
    switches: Arc<Switches>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Switches {
    down: AtomicBool,
    requests: AtomicU64,
    /// Rounds that are answered with a status of their own.
    faults: Mutex<BTreeMap<u64, u16>>,
}

struct Shared {
    key: BeaconKey,
    scheme: Scheme,
    clock: Clock,
    switches: Arc<Switches>,
}

impl BeaconServer {
    /// Serves the rounds that `scheme` says are out by `clock`, signed with `key`, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(key: BeaconKey, scheme: Scheme, clock: Clock) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let switches = Arc::new(Switches::default());
        let shared = Arc::new(Shared { key, scheme, clock, switches: Arc::clone(&switches) });
        let router =
            Router::new().route("/beacons/quicknet/rounds/{round}", routing::get(answer)).with_state(shared);
        let task = tokio::spawn(async move {
            // Ends only with the task itself.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, switches, task })
    }

    /// Base of its API, for `api` in `[beacon]`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// While down, every request is answered with status 503.
    pub fn set_down(&self, down: bool) {
        self.switches.down.store(down, Ordering::Relaxed);
    }

    /// From now on a round is answered with this status, as beacons do that have lost one; `None`: with its signature
    /// again.
    pub fn set_fault(&self, round: u64, status: Option<u16>) {
        let mut faults = self.switches.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match status {
            Some(status) => faults.insert(round, status),
            None => faults.remove(&round),
        };
    }

    /// Requests so far, those answered with an error included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.switches.requests.load(Ordering::Relaxed)
    }
}

impl Drop for BeaconServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, Path(round): Path<String>) -> (StatusCode, String) {
    shared.switches.requests.fetch_add(1, Ordering::Relaxed);
    if shared.switches.down.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "down".into());
    }
    let Some(round) = round.parse().ok().filter(|&round: &u64| round > 0) else {
        return (StatusCode::BAD_REQUEST, "no round".into());
    };
    let fault = shared.switches.faults.lock().unwrap_or_else(PoisonError::into_inner).get(&round).copied();
    if let Some(status) = fault.and_then(|status| StatusCode::from_u16(status).ok()) {
        return (status, "not this one".into());
    }
    if round > shared.scheme.round_at((shared.clock)()) {
        return (StatusCode::TOO_EARLY, "not out yet".into());
    }
    let document = serde_json::json!({ "round": round, "signature": hex::encode(shared.key.sign(round)) });
    (StatusCode::OK, document.to_string())
}
