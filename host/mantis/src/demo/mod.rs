//! The whole loop on one machine.
//!
//! [`DemoWorld`] is the world around a validator (beacon, market feed, object store, chain) on loopback, in which [`Crowd`]
//! acts and [`Demo`] runs the validator's own code. Nothing here is used by a validator that runs.

mod crowd;
mod error;
mod run;
mod signal;
mod weigh;
mod world;

pub use crowd::Crowd;
pub use error::DemoError;
pub use run::{Demo, DemoObserver, Finished, Phase, Plan, played};
pub use signal::SignalSummary;
pub use world::{DemoWorld, WorldError};

/// A row a minute.
const ROWS_PER_DAY: usize = 1440;
