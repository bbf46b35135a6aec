//! Servers on this machine's loopback, spoken to over real HTTP: a beacon, an object store and a market feed.

pub mod beacon;
mod feed;
mod objects;
mod serve;

pub use feed::FeedServer;
pub use objects::{ObjectServer, Objects};
