//! From a network's name to a chain.

use super::{Chain, ChainError, OfflineChain};
use std::path::Path;

/// The chain at `network`: `offline:PATH` is the chain in a file. It signs as `hotkey`, where one is given.
///
/// # Errors
/// Where the chain cannot be reached, or its kind is unknown.
pub fn open(network: &str, hotkey: Option<&str>) -> Result<Box<dyn Chain>, ChainError> {
    let Some(path) = network.strip_prefix("offline:") else {
        return Err(ChainError::Unreachable {
            endpoint: network.into(),
            doing: "connecting",
            reason: "only offline:PATH, a chain in a file, is known".into(),
        });
    };
    let chain = OfflineChain::open(Path::new(path))?;
    Ok(match hotkey {
        Some(hotkey) => Box::new(chain.signing_as(hotkey)),
        None => Box::new(chain),
    })
}
