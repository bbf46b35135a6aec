//! Fetching what miners have committed: the files of one sampled block, all together, in bounded time and memory.
//!
//! [`check_url`] says which URLs are followed at all; a [`Collector`] fetches what they name.

mod budget;
mod fetch;
#[cfg(test)]
mod fetch_test;
mod resolve;
mod url_rules;

pub use fetch::{Collected, Collector, FetchError};
pub use url_rules::{UrlRejection, UrlRules, check_url};
