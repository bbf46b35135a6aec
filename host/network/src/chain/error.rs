//! Why the chain did not do what was asked.

use thiserror::Error;

/// Why the chain did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No answer, a broken connection, or an answer that makes no sense.
    #[error("{endpoint}: {doing} failed: {reason}; trying again, with the next endpoint if there is one")]
    Unreachable {
        /// The node's URL, without what may be a secret in it.
        endpoint: String,
        /// What was being done.
        doing: &'static str,
        /// What happened.
        reason: String,
    },
    /// There is no such network.
    #[error(
        "`{name}` is no network{}: allowed are finney, test, local, URLs that begin with wss:// or ws://, several of these \
         with commas between them, or offline:PATH",
        meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"))
    )]
    UnknownNetwork {
        /// What was named.
        name: String,
        /// A name that is close to it.
        meant: Option<&'static str>,
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
    /// A transaction was sent, and it is not known whether the chain took it.
    #[error(
        "{doing}: transaction {transaction} was sent and cannot be seen on the chain: {reason}; it may come yet, for a \
         few minutes: look before trying again"
    )]
    Unconfirmed {
        /// What was being done.
        doing: &'static str,
        /// Its hash.
        transaction: String,
        /// What happened.
        reason: String,
    },
    /// This chain has no such thing: a pallet, a call, or the subnet.
    #[error("the chain has no {what}; check the network's URL and the netuid")]
    Missing {
        /// What it lacks.
        what: String,
    },
}
