//! What can go wrong with one node.

use crate::chain::ChainError;

/// What went wrong with one node, before it is known whether another may help.
#[derive(Debug)]
pub(super) enum NodeError {
    /// The node does not answer, or what it answers makes no sense: another connection may help.
    Broken(String),
    /// The chain has spoken: no other node would say anything else.
    Said(ChainError),
    /// A transaction was sent, and what became of it is not known.
    Sent {
        /// Its hash, `0x` and hexadecimal.
        transaction: String,
        /// Why it is not known.
        reason: String,
    },
}

impl NodeError {
    /// An error of the client's library that is about the node.
    pub(super) fn broken(error: impl std::fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ChainError> for NodeError {
    fn from(error: ChainError) -> Self {
        Self::Said(error)
    }
}
