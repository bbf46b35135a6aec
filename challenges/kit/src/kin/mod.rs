//! Miners that say nearly the same in all rows, labelled or not, and what becomes of their pay (scoring: numerics,
//! clones and cohorts).
//!
//! *Clones* send the same numbers, but for rounding, in nearly all rows that both are there in; all that a group of them
//! earns goes to one of its hotkeys. *Cohorts* are miners that all correlate with each other, of either sign; what a cohort
//! earns is shared out equally. A scorer takes [`KinParams`] in as a group of its parameters and calls [`pool`] on what it
//! has found.
//!
//! This is the network's rule, for numbers as they were sent. [`crate::clones`] is another one, which looks at what a model
//! sees of miners, before it is fitted.

mod blocks;
mod components;
mod copies;
mod correlations;
mod find;
mod linkage;
mod params;
mod pool;
mod profile;
#[cfg(test)]
mod tests;

pub use components::components;
pub use find::{CloneGroup, Kin, find};
pub use params::KinParams;
pub use pool::pool;
