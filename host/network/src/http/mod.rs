//! HTTP as the host speaks it: one TLS setup, no proxies, no redirects, no decompression, and bodies with a limit.

mod address;
mod fault;
mod fetch;
mod tls;

pub(crate) use address::{AddressRejection, is_public};
pub use fault::HttpError;
pub(crate) use fetch::{MemoryBudget, fetch};
pub use tls::builder;
pub(crate) use tls::config as tls_config;
