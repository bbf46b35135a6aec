//! How things stand after the last computation of weights, and how they came to be.
//!
//! A [`Standing`] is read once per computation and shared by all readers: the report, the dashboard and the API. What
//! is asked for one miner or one challenge is read from the ledger when it is asked for.

mod current;
mod ranking;
mod series;

pub use current::{Computed, Standing};
pub use ranking::Ranked;
pub(crate) use ranking::best_first;
pub(crate) use series::{Points, Series, Unit};
