//! Fetching the beacon's signatures; what a signature is, [`mantis_payload::beacon`] knows.

mod client;

pub use client::{BeaconClient, BeaconError};

#[cfg(test)]
mod client_test;
