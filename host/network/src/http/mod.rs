//! HTTP as the host speaks it: one TLS setup, no proxies, no redirects, no decompression, and bodies with a limit.

mod address;
mod error;
mod fetch;
mod tls;

pub(crate) use address::{AddressRejection, is_public};
pub use error::HttpError;
pub(crate) use error::is_ours;
pub(crate) use fetch::{MemoryBudget, fetch, fetch_dated};
pub use tls::builder;
pub(crate) use tls::config as tls_config;
