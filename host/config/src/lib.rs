//! `challenges.toml`: read as a whole, checked as a whole, every fault named with its line.
//!
//! [`Config::load`] reads the file or gives back all of its faults at once. What only a plugin can judge (its
//! parameters, its `dim`) is asked later; [`Config::fault_at`] puts the answer beside the line it is about.

mod challenge;
mod fault;
mod load;
mod params;
mod reader;
mod rules;
mod sections;
mod types;
mod weights;

pub use fault::{ConfigFaults, Fault};
pub use types::{
    Beacon, Challenge, Collect, Config, Datalog, MarketFeed, Network, QuoteKind, Runtime, Stale, Weight,
};
