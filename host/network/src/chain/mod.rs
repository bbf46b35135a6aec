//! The chain, as the host sees it: the newest block, who is registered, what they committed, and setting weights.
//!
//! [`Chain`] is the narrow door to it; everything behind the door can be replaced. [`open`] finds the chain of a
//! network: a [`Subtensor`] is the real one, an [`OfflineChain`] one of this machine alone.

mod epoch_state;
mod error;
mod offline;
mod offline_state;
#[cfg(test)]
mod offline_test;
mod open;
mod subtensor;

pub use epoch_state::{EpochRules, EpochState, Given, NeuronState};
pub use error::ChainError;
pub use offline::{Clock, OfflineChain};
pub use offline_state::WeightsSet;
pub use open::{Signer, open};
pub use subtensor::{ChainSettings, Clock as EpochClock, Commit, NodeLimits, Schedule, Subtensor, endpoints};

use async_trait::async_trait;
use mantis_config::Block;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds between two blocks.
pub const BLOCK_SECONDS: u64 = 12;
/// Blocks of a day.
pub const DAY_BLOCKS: i64 = 86_400 / BLOCK_SECONDS as i64;

/// A block of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number.
    pub block: Block,
    /// Its time, Unix seconds.
    pub unix: u64,
}

/// What is final on a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// The newest block that is final.
    pub block: Block,
    /// Its hash, `0x` and hexadecimal.
    pub hash: String,
    /// The block that was asked about, and the hash that it has; `None` where none was asked about, or there is none.
    pub known: Option<(Block, String)>,
}

/// The program that a chain runs, which is replaced now and then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runtime {
    /// Its version.
    pub spec_version: u32,
    /// What it lacks of all that is asked of it, or has in another form: sentences.
    pub lacking: Vec<String>,
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
    pub last_update: Block,
}

/// What the subnet demands of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hyperparameters {
    /// The least version that weights may carry.
    pub version_key: u64,
    /// Blocks between two settings of weights.
    pub weights_rate_limit: u64,
    /// Whether weights are committed first and shown later.
    pub commit_reveal: bool,
    /// In which way they are committed; `None` where the chain does not say.
    pub commit_reveal_version: Option<u16>,
    /// Epochs from a commit to its reveal.
    pub reveal_period: u64,
    /// Blocks of an epoch.
    pub tempo: u16,
    /// The least stake of those who set weights, in 10^-9 TAO.
    pub min_stake: u64,
    /// The fewest UIDs to which weights must be given.
    pub min_weights: u16,
    /// The largest part of all weights that one UID may be given, in 65,535ths; 65,535: any.
    pub max_weight: u16,
    /// Whether one validator alone decides, the one with the most stake, who alone has a permit (Null consensus).
    pub one_decides: bool,
}

/// What became of weights that were set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction's hash, `0x` and hexadecimal.
    pub transaction: String,
    /// The block it is in.
    pub block: Block,
    /// Whether the chain shows the weights at once; false where they are committed and shown later.
    pub revealed: bool,
}

/// A chain with the subnet on it. Every call ends in bounded time.
#[async_trait]
pub trait Chain: Send + Sync {
    /// The newest block.
    ///
    /// # Errors
    /// If the chain cannot be reached.
    async fn head(&self) -> Result<Head, ChainError>;

    /// Whether the chain has a time of its own, such as that of a simulation, and this machine's clock says nothing of it.
    fn has_own_time(&self) -> bool;

    /// The hash of the chain's first block, `0x` and hexadecimal: what tells one chain from another. `None` for a chain of
    /// this machine alone.
    ///
    /// # Errors
    /// If the chain cannot be reached.
    async fn genesis(&self) -> Result<Option<String>, ChainError> {
        Ok(None)
    }

    /// The program that the chain runs at its newest block, and whether it fits; `None` for a chain that has none.
    ///
    /// # Errors
    /// If the chain cannot be reached.
    async fn runtime(&self) -> Result<Option<Runtime>, ChainError> {
        Ok(None)
    }

    /// What is final, and which hash the block `known` has now; `None` for a chain without forks.
    ///
    /// # Errors
    /// If the chain cannot be reached.
    async fn finality(&self, _known: Option<Block>) -> Result<Option<Finality>, ChainError> {
        Ok(None)
    }

    /// What it said is not believed: another node is asked next, if there is one.
    fn doubt(&self) {}

    /// The subnet's neurons, by UID.
    ///
    /// # Errors
    /// If the chain cannot be reached, or has no such subnet.
    async fn metagraph(&self) -> Result<Vec<Neuron>, ChainError>;

    /// What each hotkey of the subnet has committed: the text of its newest commitment, by hotkey. As of the block `at`, so that
    /// all who sample it see the same; `None`: as of the newest.
    ///
    /// # Errors
    /// If the chain cannot be reached, or does not know that block any more.
    async fn commitments(&self, at: Option<Block>) -> Result<BTreeMap<String, String>, ChainError>;

    /// What the subnet demands of weights, as it is now.
    ///
    /// # Errors
    /// If the chain cannot be reached, or has no such subnet.
    async fn hyperparameters(&self) -> Result<Hyperparameters, ChainError>;

    /// The weights that the chain shows for a UID: pairs of UID and weight. Empty where there are none.
    ///
    /// # Errors
    /// If the chain cannot be reached.
    async fn weights_of(&self, uid: u16) -> Result<Vec<(u16, u16)>, ChainError>;

    /// The block in which a UID was registered; `None` where the chain does not say.
    ///
    /// # Errors
    /// If the chain cannot be reached.
    async fn registered_at(&self, _uid: u16) -> Result<Option<Block>, ChainError> {
        Ok(None)
    }

    /// Who owns the subnet, as of a block that is final: the hotkey that the chain names, else the owner's coldkey; SS58.
    /// `None` where nobody does.
    ///
    /// # Errors
    /// If the chain cannot be reached, or has no such subnet.
    async fn owner(&self) -> Result<Option<String>, ChainError> {
        Ok(None)
    }

    /// What an epoch of the subnet goes by, all validators' weights too, and what the last one gave; all at one block that is final.
    ///
    /// # Errors
    /// If the chain cannot be reached, has no such subnet, or does not say.
    async fn epoch_state(&self) -> Result<EpochState, ChainError> {
        Err(ChainError::Missing { what: "state of its epochs".into() })
    }

    /// Commits a text, such as the URL of a payload, for our own hotkey.
    ///
    /// # Errors
    /// If the chain cannot be reached or refuses.
    async fn commit(&self, text: &str) -> Result<(), ChainError>;

    /// Sets our own hotkey's weights: pairs of UID and weight, by UID; the largest is 65,535.
    ///
    /// Where the subnet wants it, they are committed instead, and shown later: the receipt says so.
    ///
    /// # Errors
    /// If the chain cannot be reached or refuses. After [`ChainError::Unconfirmed`] they may yet be set.
    async fn set_weights(&self, weights: &[(u16, u16)]) -> Result<Receipt, ChainError>;
}
