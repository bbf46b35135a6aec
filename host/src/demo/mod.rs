//! A simulated world: prices, and miners who know more or less of what comes.
//!
//! [`simulate`] writes a ledger of it, the same for the same seed. [`World`] is the world around a validator (beacon,
//! market feed, object store, chain) on loopback, in which [`Crowd`] acts and [`Demo`] runs the validator's own code.
//! Nothing here is used by a validator that runs.

pub mod beacon_server;
mod crowd;
mod hotkey;
mod miners;
mod prices;
mod run;
pub mod servers;
mod simulate;
mod truth;
mod weigh;
mod world;

pub use crowd::Crowd;
pub use miners::{Kind, Malformed, Miner, cast};
pub use prices::Prices;
pub use run::{Demo, DemoError, Finished, Hearer, Phase, Plan};
pub use simulate::{Simulation, Simulator, simulate};
pub use world::{World, WorldError};
