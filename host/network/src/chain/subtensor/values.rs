//! Reading the chain's storage by name.

use super::node::At;
use super::node_error::NodeError;
use crate::chain::ChainError;
use mantis_config::Block;
use subxt::dynamic::{Value, storage};
use subxt::error::StorageError;
use subxt::ext::scale_decode::DecodeAsType;

/// The pallet of subnets, neurons and weights.
pub(super) const SUBTENSOR: &str = "SubtensorModule";

/// The block that has this number on the chain.
pub(super) fn block(number: u64) -> Block {
    Block(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A value of the chain's storage, decoded as the metadata says; `None` where there is none and no default.
///
/// # Errors
/// [`ChainError::Missing`] where the runtime has no such entry.
pub(super) async fn optional<T: DecodeAsType>(
    at: &At,
    pallet: &str,
    entry: &str,
    keys: Vec<Value>,
) -> Result<Option<T>, NodeError> {
    let found = at.storage().try_fetch(storage::<Vec<Value>, T>(pallet, entry), keys).await.map_err(said)?;
    found
        .map(|value| value.decode().map_err(|error| NodeError::Broken(format!("{pallet}.{entry}: {error}"))))
        .transpose()
}

/// A value of the subnet's pallet that has a default.
///
/// # Errors
/// [`ChainError::Missing`] where the runtime has no such entry.
pub(super) async fn value<T: DecodeAsType>(at: &At, entry: &str, keys: Vec<Value>) -> Result<T, NodeError> {
    let found = optional(at, SUBTENSOR, entry, keys).await?;
    found.ok_or_else(|| NodeError::Broken(format!("{SUBTENSOR}.{entry} has no value")))
}

/// A value of the subnet's pallet, by the first of several names that the runtime has: entries were renamed.
pub(super) async fn any<T: DecodeAsType>(
    at: &At,
    entries: &[&str],
    keys: impl Fn() -> Vec<Value>,
) -> Result<Option<T>, NodeError> {
    for entry in entries {
        match value(at, entry, keys()).await {
            Err(NodeError::Said(ChainError::Missing { .. })) => {}
            found => return found.map(Some),
        }
    }
    Ok(None)
}

/// An error of reading storage.
pub(super) fn said(error: StorageError) -> NodeError {
    use subxt::ext::frame_decode::storage::StorageInfoError;
    match error {
        StorageError::PalletNameNotFound(pallet) => missing(format!("pallet {pallet}")),
        StorageError::StorageEntryNotFound { pallet_name, entry_name } => {
            missing(format!("storage {pallet_name}.{entry_name}"))
        }
        StorageError::StorageInfoError(StorageInfoError::PalletNotFound { pallet_name }) => {
            missing(format!("pallet {pallet_name}"))
        }
        StorageError::StorageInfoError(StorageInfoError::StorageNotFound { pallet_name, name }) => {
            missing(format!("storage {pallet_name}.{name}"))
        }
        other => NodeError::broken(other),
    }
}

/// What the runtime lacks.
pub(super) fn missing(what: String) -> NodeError {
    NodeError::Said(ChainError::Missing { what })
}

/// A number as a key of storage.
pub(super) fn number(number: impl Into<u128>) -> Value {
    Value::u128(number.into())
}
