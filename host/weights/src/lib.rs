//! From saliences to weights: pure functions with plain types (scoring: aggregate and set).
//!
//! [`aggregate`] joins the challenges, [`settle`] spreads the result over the metagraph's UIDs, and [`to_u16`] and
//! [`within`] are what the chain takes. What it makes of all validators' weights, [`yuma`] says.

mod aggregate;
mod failure;
mod input;
mod joined;
mod limits;
pub mod measures;
mod rules;
mod scored;
mod settle;
pub mod yuma;

pub use aggregate::{BURN, Shares, aggregate};
pub use failure::{FailureCause, Held};
pub use input::{Input, InputError, Neuron};
pub use joined::Joined;
pub use limits::{Limited, TooFewWeights, WeightLimits, within};
pub use rules::SettleRules;
pub use scored::{MadeWith, Scored, Scores, failed};
pub use settle::{Outcome, Settlement, WeightsRejection, on_chain, settle, settle_again, spread, to_u16};
