//! Who owns the subnet.

use super::neurons::exists;
use super::node::At;
use super::node_error::NodeError;
use super::values::{SUBTENSOR, number, optional};
use crate::chain::ChainError;
use subxt::utils::AccountId32;

/// Where the chain says it, the first that somebody is named in. A runtime may lack the hotkey's.
const ENTRIES: [&str; 2] = ["SubnetOwnerHotkey", "SubnetOwner"];

/// The owner's hotkey, else the owner's coldkey; `None` where the chain names nobody.
pub(super) async fn owner(at: &At, netuid: u16) -> Result<Option<String>, NodeError> {
    exists(at, netuid).await?;
    for entry in ENTRIES {
        match optional::<AccountId32>(at, SUBTENSOR, entry, vec![number(netuid)]).await {
            // What is not set is read as all zeros.
            Ok(Some(account)) if account.0 != [0; 32] => return Ok(Some(account.to_string())),
            Ok(_) | Err(NodeError::Said(ChainError::Missing { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
