//! The beacon: a public clock that signs a number every few seconds. Its signature of a round opens what was locked
//! until then.

mod client;
mod scheme;
pub mod signing;

pub use client::{BeaconError, Client};
pub use scheme::{BadKey, Scheme};

pub(crate) use scheme::DST;

#[cfg(test)]
mod client_test;
