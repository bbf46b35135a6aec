//! A subtensor chain, reached over its nodes' JSON-RPC.
//!
//! Everything is read and encoded by the runtime's own metadata, so that runtime upgrades are followed without a
//! rebuild. Connections, time limits and moving on to the next endpoint are the link's affair; what the chain says
//! no with becomes a [`ChainError`](super::ChainError) under the chain's own name.

mod client;
mod commitments;
mod confirm;
mod endpoints;
mod epoch_state;
mod link;
mod neurons;
mod node;
mod node_error;
mod owner;
mod refusal;
mod rules;
mod sealed;
#[cfg(test)]
mod sealed_test;
mod settings;
mod shapes;
mod transaction;
mod values;
mod weights;

pub use client::Subtensor;
pub use endpoints::endpoints;
pub use sealed::{Clock, Commit, Schedule};
pub use settings::{ChainSettings, NodeLimits};
