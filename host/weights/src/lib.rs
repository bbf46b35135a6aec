//! From saliences to weights: pure functions with plain types (scoring: aggregate and set).
//!
//! [`aggregate`] joins the challenges, [`settle`] spreads the result over the metagraph's UIDs, and [`to_u16`] is what
//! the chain takes.

mod aggregate;
mod input;
mod rules;
mod scored;
mod settle;

pub use aggregate::aggregate;
pub use input::{Input, InputError, Neuron};
pub use rules::SettleRules;
pub use scored::{Scored, Scores};
pub use settle::{Outcome, Settlement, WeightsRejection, on_chain, settle, to_u16};
