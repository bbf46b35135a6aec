//! Strategies of miners, measured on a ledger by a host that they cannot see past.
//!
//! A strategy is a process of its own ([`child`]). It is told one row of the market at a time ([`feed`], [`walk`]), over a
//! [`protocol`] that any language speaks, and the next one only after it has answered. What comes later is not in its
//! memory, and in its sandbox it reaches nothing else; labels come to it when they have become known. Answers are judged and
//! rounded as a validator would ([`stored`]), and measured beside the labels of the challenge's own plugin ([`metrics`]).

pub mod check;
pub mod child;
pub mod embeddings;
mod error;
mod evaluate;
mod evaluation;
pub mod feed;
mod greeting;
pub mod metrics;
pub mod protocol;
pub mod replayed;
pub mod stored;
pub mod walk;

pub use error::WorkshopError;
pub use evaluate::{HOLDOUT_DAYS, Plan, evaluate};
pub use evaluation::{Causality, Evaluation, FORMAT, LagTest, Seconds, Strategy, Stretch, Window};
