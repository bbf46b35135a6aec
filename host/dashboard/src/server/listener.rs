//! The server of a site.

use super::routes;
use super::site::Site;
use mantis_web::{Hosts, ListenError};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Connections at the same time, far fewer than a process may have files: the validator needs those for its work.
const CONNECTIONS: usize = 64;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    server: mantis_web::Server,
    reading: JoinHandle<()>,
}

impl Server {
    /// Serves a site under the names of this machine's loopback, the address, and the `names`, and under no other; port 0
    /// takes a free one. Needs a runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn start(address: SocketAddr, names: &[String], site: Arc<Site>) -> Result<Self, ListenError> {
        let served = site.clone();
        let server = mantis_web::Server::start(address, CONNECTIONS, |address| {
            routes::router(served, Arc::new(Hosts::new(names, address.ip())))
        })?;
        Ok(Self { server, reading: tokio::spawn(site.keep_up()) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
