//! The whole loop on one machine.
//!
//! [`DemoWorld`] is the world around a validator (beacon, market feed, object store, chain) on loopback, in which [`Crowd`]
//! acts and [`Demo`] runs the validator's own code. Nothing here is used by a validator that runs.

mod crowd;
mod run;
mod weigh;
mod world;

pub use crowd::Crowd;
pub use run::{Demo, DemoError, DemoObserver, Finished, Phase, Plan};
pub use world::{DemoWorld, WorldError};
