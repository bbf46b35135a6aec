//! The whole loop on one machine.
//!
//! [`World`] is the world around a validator (beacon, market feed, object store, chain) on loopback, in which [`Crowd`]
//! acts and [`Demo`] runs the validator's own code. Nothing here is used by a validator that runs.

mod crowd;
mod run;
mod weigh;
mod world;

pub use crowd::Crowd;
pub use run::{Demo, DemoError, Finished, Hearer, Phase, Plan};
pub use world::{World, WorldError};
