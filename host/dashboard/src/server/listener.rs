//! Taking connections.

use super::connections::{Connections, Place};
use super::error::WebError;
use super::hosts::Hosts;
use super::routes;
use super::site::Site;
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
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tracing::debug;

/// Connections at the same time, far fewer than a process may have files: the validator needs those for its work. When
/// another one comes, the one that has asked nothing for the longest time is closed.
const CONNECTIONS: usize = 64;
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
    reading: JoinHandle<()>,
}

impl Server {
    /// Serves a site under the names of this machine's loopback, the address, and the `names`, and under no other; port 0
    /// takes a free one. Needs a runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn start(address: SocketAddr, names: &[String], site: Arc<Site>) -> Result<Self, WebError> {
        let listener = listen(address).map_err(|source| WebError { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        let reading = tokio::spawn(site.clone().keep_up());
        let hosts = Arc::new(Hosts::new(names, address.ip()));
        let taking = tokio::spawn(take(listener, site, hosts));
        Ok(Self { address, taking, reading })
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
        self.reading.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // One that was just ended leaves its connections behind for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

async fn take(listener: TcpListener, site: Arc<Site>, hosts: Arc<Hosts>) {
    let router = TowerToHyperService::new(routes::router(site, hosts));
    let connections = Connections::default();
    // Ends every connection when the server is dropped.
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, as a rule: it passes.
                debug!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        let place = loop {
            match connections.place(CONNECTIONS) {
                Some(place) => break Arc::new(place),
                None => tokio::time::sleep(CROWDED).await,
            }
        };
        let id = place.id();
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let busy = place.busy();
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
