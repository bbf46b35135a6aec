//! How every client of the host is set up.

use reqwest::{ClientBuilder, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::sync::{Arc, OnceLock};

/// A client that trusts the system's certificates, and goes where it is told and nowhere else: no redirect, no proxy
/// of the environment, no decompression.
pub fn builder() -> ClientBuilder {
    let client = reqwest::Client::builder()
        .no_proxy()
        .referer(false)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("mantis/", env!("CARGO_PKG_VERSION")));
    match config() {
        Some(config) => client.tls_backend_preconfigured(config.clone()),
        // Cannot be with this provider; `build` then says what reqwest lacks.
        None => client,
    }
}

/// Read once: finding the certificates takes milliseconds. A system without any leaves plain http to work, and every
/// https server untrusted.
pub(crate) fn config() -> Option<&'static ClientConfig> {
    static CONFIG: OnceLock<Option<ClientConfig>> = OnceLock::new();
    let make = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?;
        Some(config.with_root_certificates(roots).with_no_client_auth())
    };
    CONFIG.get_or_init(make).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_built() {
        assert!(config().is_some());
        builder().build().unwrap();
    }
}
