//! `signal.toml`: plans, what each signal costs, and how the server is run.

mod read;
mod units;

pub use read::{Offer, Plan, Plans, PlansError, Serving};
pub use units::{Rate, in_words, span};

/// Name of the plan of those who have no key.
pub const FREE: &str = "free";
