//! Servers on this machine's loopback, spoken to over real HTTP: a beacon, an object store, a market feed, a node with the
//! events that it is told, and one of an EVM chain that lies as it is told.

pub mod beacon;
pub mod evm;
mod fact_node;
mod feed;
mod objects;
mod serve;

pub use fact_node::{FactNode, HeadClock, LogEvent};
pub use feed::FeedServer;
pub use objects::{ObjectServer, Objects};
