//! What the file may say, table by table, and what it says once it is checked.

mod beacon;
mod challenge;
mod collect;
mod datalog;
mod facts;
mod market;
mod mirrors;
mod network;
mod release;
mod runtime;
mod scoring;
mod top;
mod weight;

pub(crate) use top::CHALLENGES;

pub use beacon::Beacon;
pub use challenge::{Challenge, QuoteKind};
pub use collect::{Collect, Stale};
pub use datalog::Datalog;
pub use facts::{EventNumber, EventWord, FactKind, FactSource};
pub use market::{Doubtful, MarketFeed};
pub use mirrors::Mirrors;
pub use network::{Clock, Network};
pub use release::{ReleaseSource, Take};
pub use runtime::Runtime;
pub use scoring::BatchEngine;
pub use top::Config;
pub use weight::Weight;
