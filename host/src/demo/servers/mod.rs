//! Servers on this machine's loopback, spoken to over real HTTP: an object store and a market feed.

mod feed;
mod objects;
mod serve;

pub use feed::FeedServer;
pub use objects::{ObjectServer, Objects};
