//! From names to addresses, public ones only.

use crate::http::{AddressRejection, is_ours, is_public};
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Finds the addresses of a name.
#[async_trait]
pub(super) trait Lookup: Send + Sync + 'static {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
pub(super) struct System;

#[async_trait]
impl Lookup for System {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match tokio::net::lookup_host((host, 0)).await {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            // A resolver that finds no file to be had says only that it failed.
            Err(error) => Err(File::open("/dev/null").err().filter(is_ours).unwrap_or(error)),
        }
    }
}

/// A resolver that refuses a name if any of its addresses is not public.
///
/// The connection goes to the very addresses judged here: a name that changes between two lookups gains nothing.
pub(super) struct PublicOnly {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) allow_loopback: bool,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allow_loopback) = (self.lookup.clone(), self.allow_loopback);
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str()).await?;
            let fits = |address: &IpAddr| is_public(*address) || (allow_loopback && address.is_loopback());
            if let Some(&address) = addresses.iter().find(|address| !fits(address)) {
                return Err(AddressRejection { address }.into());
            }
            // Port 0: that of the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
