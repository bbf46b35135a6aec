//! From a network's name to a chain.

use super::{Chain, ChainError, ChainSettings, OfflineChain, Subtensor};
use crate::wallet::Hotkey;
use std::path::Path;

/// Who writes to the chain.
#[derive(Clone, Debug, Default)]
pub enum Signer {
    /// None: the chain is only read.
    #[default]
    ReadOnly,
    /// A hotkey of which only the address is known: enough for a chain in a file, where nothing is signed.
    Address(String),
    /// A hotkey.
    Key(Hotkey),
}

impl Signer {
    /// The hotkey's address.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::ReadOnly => None,
            Self::Address(address) => Some(address),
            Self::Key(key) => Some(key.address()),
        }
    }
}

/// The chain at `network`: `offline:PATH` is the chain in a file; anything else is a subtensor chain, by the name of its
/// network (finney, test, local) or the URLs of nodes, with commas between them.
///
/// # Errors
/// If the file cannot be used, or the network is unknown. A subtensor chain is connected later.
pub fn open(network: &str, settings: ChainSettings, signer: Signer) -> Result<Box<dyn Chain>, ChainError> {
    let Some(path) = network.strip_prefix("offline:") else {
        let key = match signer {
            Signer::Key(key) => Some(key),
            Signer::Address(_) | Signer::ReadOnly => None,
        };
        return Ok(Box::new(Subtensor::new(network, settings, key)?));
    };
    let chain = OfflineChain::open(Path::new(path))?;
    Ok(match signer.address() {
        Some(hotkey) => Box::new(chain.signing_as(hotkey)),
        None => Box::new(chain),
    })
}
