//! Fetching the beacon's signatures; what a signature is, [`mantis_payload::beacon`] knows.

mod client;

pub use client::{BeaconError, Client};

#[cfg(test)]
mod client_test;
