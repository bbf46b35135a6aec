//! Taking connections.

use super::error::WebError;
use super::routes;
use super::site::Site;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tracing::debug;

/// Connections at the same time; others wait to be taken.
const CONNECTIONS: usize = 1024;
/// Connections that may wait.
const QUEUE: u32 = 1024;
/// Bytes that the head of a request may have.
const HEAD_BYTES: usize = 64 << 10;
/// Time for the head of a request, and between two of them on one connection.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    taking: JoinHandle<()>,
    reading: JoinHandle<()>,
}

impl Server {
    /// Serves a site; port 0 takes a free one. Needs a runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn start(address: SocketAddr, site: Arc<Site>) -> Result<Self, WebError> {
        let listener = listen(address).map_err(|source| WebError { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        let reading = tokio::spawn(site.clone().keep_up());
        let taking = tokio::spawn(take(listener, site));
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

async fn take(listener: TcpListener, site: Arc<Site>) {
    let service = TowerToHyperService::new(routes::router(site));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // Ends every connection when the server is dropped.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, as a rule: it passes.
                debug!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        connections.spawn(async move {
            // How a reader's connection ends is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
}
