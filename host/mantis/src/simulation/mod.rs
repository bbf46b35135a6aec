//! A simulated market, and miners who know more or less of what comes.
//!
//! [`simulate`] writes a ledger of it, the same for the same seed.

mod hotkey;
mod intents;
mod miners;
mod players;
mod prices;
mod simulate;
mod truth;

pub(crate) use hotkey::ss58;
pub use miners::{Malformed, MinerKind, SimulatedMiner, cast};
pub use prices::Prices;
pub use simulate::{FIRST_SIDX, SimulatedFact, Simulation, Simulator, simulate, unix_of};
