//! Taking connections.

use super::connections::{Connections, Place};
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tracing::debug;

/// Time until it is looked again for one that can be closed.
const CROWDED: Duration = Duration::from_millis(5);
/// Connections that may wait.
const QUEUE: u32 = 1024;
/// Bytes that the head of a request may have.
const HEAD_BYTES: usize = 64 << 10;
/// Time for the head of a request, and between two of them on one connection.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    taking: JoinHandle<()>,
}

/// Why nothing is served.
#[derive(Debug, Error)]
#[error(
    "cannot listen on {address}: {source}; is something else listening there? `--listen` takes another address"
)]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

impl Server {
    /// Serves what the `router` of the address that is taken answers; port 0 takes a free one. There are at most so many
    /// `connections`: when another one comes, the one that has asked nothing for the longest time is closed. A request has
    /// among its extensions the [`SocketAddr`] that it comes from, and the `Arc` of its connection's [`Place`]. Needs a
    /// runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn start(
        address: SocketAddr,
        connections: usize,
        router: impl FnOnce(SocketAddr) -> Router,
    ) -> Result<Self, ListenError> {
        let listener = listen(address).map_err(|source| ListenError { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        let taking = tokio::spawn(take(listener, router(address), connections));
        Ok(Self { address, taking })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.taking.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // One that was just ended leaves its connections behind for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

async fn take(listener: TcpListener, router: Router, most: usize) {
    let router = TowerToHyperService::new(router);
    let connections = Connections::default();
    // Ends every connection when the server is dropped.
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(taken) => taken,
            Err(error) => {
                // Too many open files, as a rule: it passes.
                debug!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        let place = loop {
            match connections.place(most) {
                Some(place) => break Arc::new(place),
                None => tokio::time::sleep(CROWDED).await,
            }
        };
        let id = place.id();
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let busy = place.busy();
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(place.clone());
            let answer = router.call(request);
            async move {
                let answer = answer.await;
                drop(busy);
                answer
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let task = tasks.spawn(async move {
            // How a reader's connection ends is its own affair.
            let _ = connection.await;
        });
        Place::served_by(&connections, id, task);
    }
}
