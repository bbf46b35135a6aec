//! The server of a site.

use super::routes;
use super::site::SignalSite;
use mantis_web::{Hosts, ListenError, Server};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct SignalServer {
    server: Server,
    keeping_up: JoinHandle<()>,
}

impl SignalServer {
    /// Serves a site under the names of this machine's loopback, the address, and the `names`, and under no other; port 0
    /// takes a free one. Needs a runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn start(address: SocketAddr, names: &[String], site: Arc<SignalSite>) -> Result<Self, ListenError> {
        let connections = site.plans.serving.connections;
        let served = site.clone();
        let server = Server::start(address, connections, |address| {
            routes::router(served, Arc::new(Hosts::new(names, address.ip())))
        })?;
        Ok(Self { server, keeping_up: tokio::spawn(site.keep_up()) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Drop for SignalServer {
    fn drop(&mut self) {
        self.keeping_up.abort();
    }
}
