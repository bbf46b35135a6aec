//! The first start of a validator: a ledger that others have published, fetched, checked, and only then used.

mod fetch;
#[cfg(test)]
mod fetch_test;

pub use fetch::{BootstrapError, fetch};
