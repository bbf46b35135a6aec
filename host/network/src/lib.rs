//! The world outside: what the host reads from it and sends to it.
//!
//! [`http`] fetches within bounds, and everything else goes through it: [`collect`] takes miners' payloads, [`market`]
//! prices, [`beacon`] signatures, [`releases`] what the owner publishes, [`ledger_mirror`] a ledger that is
//! published in parts; [`bucket`] uploads. [`chain`] is the metagraph, commitments and weights, and [`wallet`]
//! the keys that sign for it. `loopback` (a feature) is the same world on this machine, for tests and the demo.

pub mod beacon;
pub mod bucket;
pub mod chain;
pub mod collect;
pub mod facts;
pub mod http;
pub mod ledger_mirror;
#[cfg(any(test, feature = "loopback"))]
pub mod loopback;
pub mod market;
pub mod releases;
pub mod wallet;
