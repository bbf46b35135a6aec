//! Who is registered in the subnet.

use super::node::{At, Node};
use super::node_error::NodeError;
use super::values::{SUBTENSOR, block, missing, number, said, value};
use crate::chain::Neuron;
use std::collections::BTreeMap;
use subxt::dynamic::{Value, storage};
use subxt::ext::scale_decode::DecodeAsType;
use subxt::utils::AccountId32;

/// Values asked for at once.
const BATCH: usize = 256;

/// The subnet's neurons at its newest block, by UID. `index` is where the chain keeps what belongs to the mechanism.
pub(super) async fn neurons(node: &Node, (netuid, index): (u16, u16)) -> Result<Vec<Neuron>, NodeError> {
    let at = node.newest().await?;
    exists(&at, netuid).await?;
    let hotkeys = hotkeys(&at, netuid).await?;
    let coldkeys = coldkeys(node, &at, hotkeys.values()).await?;
    let permits: Vec<bool> = value(&at, "ValidatorPermit", vec![number(netuid)]).await?;
    let last_updates: Vec<u64> = value(&at, "LastUpdate", vec![number(index)]).await?;
    let neuron = |(uid, hotkey): (u16, AccountId32)| Neuron {
        uid,
        coldkey: coldkeys.get(&hotkey.0).map(AccountId32::to_string).unwrap_or_default(),
        hotkey: hotkey.to_string(),
        // A neuron of this very block may not have its place in the lists yet.
        validator_permit: permits.get(usize::from(uid)).copied().unwrap_or(false),
        last_update: block(last_updates.get(usize::from(uid)).copied().unwrap_or(0)),
    };
    Ok(hotkeys.into_iter().map(neuron).collect())
}

/// Makes sure that there is such a subnet.
pub(super) async fn exists(at: &At, netuid: u16) -> Result<(), NodeError> {
    if value(at, "NetworksAdded", vec![number(netuid)]).await? {
        return Ok(());
    }
    Err(missing(format!("subnet {netuid}")))
}

/// The subnet's hotkeys, by UID.
pub(super) async fn hotkeys(at: &At, netuid: u16) -> Result<BTreeMap<u16, AccountId32>, NodeError> {
    by_uid(at, "Keys", netuid).await
}

/// The values of a map of the subnet's pallet that is by subnet, or mechanism of one, and UID.
pub(super) async fn by_uid<T: DecodeAsType>(
    at: &At,
    entry: &str,
    index: u16,
) -> Result<BTreeMap<u16, T>, NodeError> {
    let address = storage::<Vec<Value>, T>(SUBTENSOR, entry);
    let mut entries = at.storage().iter(address, vec![number(index)]).await.map_err(said)?;
    let mut values = BTreeMap::new();
    while let Some(found) = entries.next().await {
        let found = found.map_err(said)?;
        // The UID is the key's last part, and is not hashed.
        let Some((_, uid)) = found.key_bytes().split_last_chunk::<2>() else {
            return Err(NodeError::broken(format!("a key of {SUBTENSOR}.{entry} is too short")));
        };
        let value = found.value().decode().map_err(NodeError::broken)?;
        if values.insert(u16::from_le_bytes(*uid), value).is_some() {
            return Err(NodeError::broken(format!("it gives a key of {SUBTENSOR}.{entry} twice")));
        }
    }
    Ok(values)
}

/// The owners' coldkeys, by hotkey: many values with few requests.
async fn coldkeys(
    node: &Node,
    at: &At,
    hotkeys: impl Iterator<Item = &AccountId32>,
) -> Result<BTreeMap<[u8; 32], AccountId32>, NodeError> {
    let owner = at.storage().entry(storage::<Vec<Value>, AccountId32>(SUBTENSOR, "Owner")).map_err(said)?;
    let mut asked = BTreeMap::new();
    for hotkey in hotkeys {
        let key = owner.fetch_key(vec![Value::from_bytes(hotkey.0)]).map_err(said)?;
        asked.insert(key, hotkey.0);
    }
    let keys: Vec<&[u8]> = asked.keys().map(Vec::as_slice).collect();
    let mut found = BTreeMap::new();
    for batch in keys.chunks(BATCH) {
        let sets = node.methods.state_query_storage_at(batch.iter().copied(), Some(at.block_hash())).await;
        for (key, value) in sets.map_err(NodeError::broken)?.into_iter().flat_map(|set| set.changes) {
            let coldkey = value.and_then(|value| <[u8; 32]>::try_from(&value.0[..]).ok());
            if let (Some(hotkey), Some(coldkey)) = (asked.get(&key.0), coldkey) {
                found.insert(*hotkey, AccountId32(coldkey));
            }
        }
    }
    Ok(found)
}
