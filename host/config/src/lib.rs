//! `challenges.toml`: read as a whole, checked as a whole, every fault named with its line.
//!
//! [`Config::load`] reads the file or gives back all of its faults at once. What only a plugin can judge (its
//! parameters, its `dim`) is asked later; [`Config::fault_at`] puts the answer beside the line it is about.
//!
//! Every key is declared once, in the file of its table in `tables`: from the line there come the field, how it is
//! read, its default, the words that misspelt keys are compared with, and its row in docs/configuration.md.
//!
//! [`Block`] and [`Sidx`] are here too, since every crate of the host that counts blocks is above this one.

mod bare_url;
mod block;
mod digest;
mod fault;
mod hints;
mod kinds;
mod load;
mod locate;
mod memory;
mod overlay;
mod pin;
mod reference;
mod section;
mod source;
mod tables;
mod weights;

pub use bare_url::{bare_node, bare_url};
pub use block::{Block, Sidx};
pub use fault::{ConfigError, Fault};
pub use load::{OPERATORS_KEYS, OPERATORS_TOP};
pub use pin::PinError;
pub use reference::{KeyTable, key_tables};
pub use section::{Difference, Key};
pub use source::closest;
pub use tables::{
    BatchEngine, Beacon, Challenge, Clock, Collect, Config, Datalog, Doubtful, EventNumber, EventWord,
    FactKind, FactSource, MarketFeed, Mirrors, Network, QuoteKind, ReleaseSource, Runtime, Stale, Take,
    Weight,
};
