//! Servers on this machine's loopback, spoken to over real HTTP: a beacon, an object store, a market
//! feed and a node of an EVM chain.

pub mod beacon;
pub mod evm;
mod feed;
mod objects;
mod serve;

pub use feed::FeedServer;
pub use objects::{ObjectServer, Objects};
