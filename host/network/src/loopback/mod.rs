//! Servers on this machine's loopback, spoken to over real HTTP: a beacon, an object store, a market feed
//! and a node with events.

pub mod beacon;
mod evm;
mod feed;
mod objects;
mod serve;

pub use evm::{EvmServer, HeadClock, LogEvent};
pub use feed::FeedServer;
pub use objects::{ObjectServer, Objects};
