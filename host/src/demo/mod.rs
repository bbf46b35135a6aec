//! A simulated world: prices, and miners who know more or less of what comes.
//!
//! [`simulate`] writes a ledger of it, the same for the same seed. Nothing here is used by a validator that runs.

pub mod beacon_server;
mod hotkey;
mod miners;
mod prices;
pub mod servers;
mod simulate;
mod truth;

pub use miners::{Kind, Miner, cast};
pub use simulate::{Simulation, simulate};
