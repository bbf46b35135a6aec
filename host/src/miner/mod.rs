//! The miner's side.
