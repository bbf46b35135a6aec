//! The chain, as the host sees it: the newest block, who is registered, what they committed, and setting weights.
//!
//! [`Chain`] is the narrow door to it; everything behind the door can be replaced. [`open`] finds the chain of a
//! network; an [`OfflineChain`] is one of this machine alone.

mod error;
mod offline;
mod offline_state;
#[cfg(test)]
mod offline_test;
mod open;

pub use error::ChainError;
pub use offline::{Clock, OfflineChain};
pub use offline_state::WeightsSet;
pub use open::open;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds between two blocks.
pub const BLOCK_SECONDS: u64 = 12;

/// A block of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number.
    pub block: u64,
    /// Its time, Unix seconds.
    pub unix: u64,
}

/// One registered neuron.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neuron {
    /// Its place in the subnet, 0 to 255.
    pub uid: u16,
    /// Its hotkey, SS58 with prefix 42.
    pub hotkey: String,
    /// Its owner's coldkey, SS58 with prefix 42.
    pub coldkey: String,
    /// Whether it may set weights.
    pub validator_permit: bool,
    /// Block of its last activity.
    pub last_update: u64,
}

/// What became of weights that were set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction's hash, `0x` and hexadecimal.
    pub transaction: String,
    /// The block it is in.
    pub block: u64,
    /// Whether the chain shows the weights at once; false where they are committed and shown later.
    pub revealed: bool,
}

/// A chain with the subnet on it. Every call ends in bounded time.
#[async_trait]
pub trait Chain: Send + Sync {
    /// The newest block.
    ///
    /// # Errors
    /// Where the chain cannot be reached.
    async fn head(&self) -> Result<Head, ChainError>;

    /// The subnet's neurons, by UID.
    ///
    /// # Errors
    /// Where the chain cannot be reached, or has no such subnet.
    async fn metagraph(&self) -> Result<Vec<Neuron>, ChainError>;

    /// What each hotkey of the subnet has committed: the text of its newest commitment, by hotkey.
    ///
    /// # Errors
    /// Where the chain cannot be reached.
    async fn commitments(&self) -> Result<BTreeMap<String, String>, ChainError>;

    /// Commits a text, such as the URL of a payload, for our own hotkey.
    ///
    /// # Errors
    /// Where the chain cannot be reached or refuses.
    async fn commit(&self, text: &str) -> Result<(), ChainError>;

    /// Sets our own hotkey's weights: pairs of UID and weight, by UID; the largest is 65,535.
    ///
    /// # Errors
    /// Where the chain cannot be reached or refuses.
    async fn set_weights(&self, weights: &[(u16, u16)]) -> Result<Receipt, ChainError>;
}
