//! What the ledger tells people: how things stand after the last computation of weights, and how they came to be.
//!
//! A [`Standing`] is read once per computation and shared by all that look: the report, the dashboard and the API. What
//! is asked for one miner or one challenge is read from the ledger when it is asked for.

mod current;
mod ranking;
pub(crate) mod series;

pub use current::{Computed, Standing};
pub(crate) use current::{DRAWN, all_series};
pub use ranking::Ranked;
pub(crate) use ranking::best_first;
