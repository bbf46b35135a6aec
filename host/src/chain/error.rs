//! Why the chain did not do what was asked.

use thiserror::Error;

/// Why the chain did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No answer, a broken connection, or an answer that makes no sense.
    #[error("{endpoint}: {doing} failed: {reason}; trying again, with the next endpoint if there is one")]
    Unreachable {
        /// The node's URL.
        endpoint: String,
        /// What was being done.
        doing: &'static str,
        /// What happened.
        reason: String,
    },
    /// The chain refuses a transaction.
    #[error("the chain refuses {doing}: {name}; {cure}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The chain's own name of the error.
        name: String,
        /// What to do.
        cure: String,
    },
    /// This chain has no such thing: a pallet, a call, or the subnet.
    #[error("the chain has no {what}; check the network's URL and the netuid")]
    Missing {
        /// What it lacks.
        what: String,
    },
}
