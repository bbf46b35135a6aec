//! What hotkeys have committed.

use super::node::At;
use super::node_error::NodeError;
use super::refusal::refused;
use super::values::{missing, number, optional, said};
use super::weights::Call;
use std::collections::BTreeMap;
use subxt::dynamic::{Value, storage, tx};
use subxt::ext::scale_value::{Composite, Primitive, ValueDef, Variant};
use subxt::metadata::Metadata;
use subxt::utils::AccountId32;

const PALLET: &str = "Commitments";
/// Bytes that the `RawN` variants hold.
const LONGEST_RAW: usize = 128;
/// Bytes that `BigRaw` holds.
const LONGEST_BIG_RAW: usize = 512;
/// Commitments of one subnet that are read: every UID that there can be, twice.
const MOST: usize = 2 << 16;

/// The text that each hotkey has committed. What is not a text is left out: it can be anything.
pub(super) async fn commitments(at: &At, netuid: u16) -> Result<BTreeMap<String, String>, NodeError> {
    let address = storage::<Vec<Value>, Value>(PALLET, "CommitmentOf");
    let mut entries = at.storage().iter(address, vec![number(netuid)]).await.map_err(said)?;
    let mut commitments = BTreeMap::new();
    while let Some(entry) = entries.next().await {
        let entry = entry.map_err(said)?;
        // The account comes last, after a hash of any kind.
        let Some((_, account)) = entry.key_bytes().split_last_chunk::<32>() else {
            return Err(NodeError::broken("a key of Commitments.CommitmentOf is too short"));
        };
        if commitments.len() >= MOST {
            return Err(NodeError::broken(format!("it gives more than {MOST} commitments of one subnet")));
        }
        if let Some(text) = entry.value().decode().ok().and_then(|value| text(&value)) {
            commitments.insert(AccountId32(*account).to_string(), text);
        }
    }
    Ok(commitments)
}

/// The text that one hotkey has committed.
pub(super) async fn commitment(
    at: &At,
    netuid: u16,
    hotkey: &AccountId32,
) -> Result<Option<String>, NodeError> {
    let keys = vec![number(netuid), Value::from_bytes(hotkey.0)];
    let found: Option<Value> = optional(at, PALLET, "CommitmentOf", keys).await?;
    Ok(found.as_ref().and_then(text))
}

/// The call that commits a text.
///
/// # Errors
/// A text that is too long; [`Missing`](crate::chain::ChainError::Missing) where the runtime has no such call.
pub(super) fn call(metadata: &Metadata, netuid: u16, text: &str) -> Result<Call, NodeError> {
    if metadata.pallet_by_name(PALLET).is_none() {
        return Err(missing(format!("pallet {PALLET}")));
    }
    let length = text.len();
    if length > LONGEST_BIG_RAW {
        let cure = format!("commit at most {LONGEST_BIG_RAW} bytes instead of {length}");
        return Err(refused("the commitment", "TooManyFieldsInCommitmentInfo", &cure));
    }
    let kind = if length > LONGEST_RAW { "BigRaw".to_owned() } else { format!("Raw{length}") };
    let data = Value::unnamed_variant(kind, [Value::from_bytes(text)]);
    let fields = Value::unnamed_composite([data]);
    let info = Value::named_composite([("fields", fields)]);
    Ok(tx(PALLET, "set_commitment", Composite::named([("netuid", number(netuid)), ("info", info)])))
}

/// The first field that holds bytes, as text; of one that is longer than the chain's longest, so much that it is seen.
fn text(registration: &Value) -> Option<String> {
    let Variant { values, .. } = first_raw(registration)?;
    let mut bytes = Vec::new();
    values.values().for_each(|value| collect(value, &mut bytes));
    String::from_utf8(bytes).ok()
}

/// `RawN` or `BigRaw`, wherever it lies: wrappers around it have come and gone.
fn first_raw(value: &Value) -> Option<&Variant<()>> {
    match &value.value {
        ValueDef::Variant(variant) if is_raw(&variant.name) => Some(variant),
        ValueDef::Variant(variant) => variant.values.values().find_map(first_raw),
        ValueDef::Composite(composite) => composite.values().find_map(first_raw),
        _ => None,
    }
}

fn is_raw(name: &str) -> bool {
    let digits = name.strip_prefix("Raw");
    name == "BigRaw"
        || digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn collect(value: &Value, bytes: &mut Vec<u8>) {
    match &value.value {
        _ if bytes.len() > LONGEST_BIG_RAW => {}
        ValueDef::Primitive(Primitive::U128(byte)) => bytes.extend(u8::try_from(*byte)),
        ValueDef::Composite(composite) => composite.values().for_each(|value| collect(value, bytes)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(fields: Vec<Value>) -> Value {
        let fields = Value::unnamed_composite([Value::unnamed_composite(fields)]);
        let info = Value::named_composite([("fields", fields)]);
        Value::named_composite([("deposit", Value::u128(82)), ("block", Value::u128(82)), ("info", info)])
    }

    #[test]
    fn the_first_bytes_are_the_text() {
        let raw = |name: &str, text: &str| Value::unnamed_variant(name, [Value::from_bytes(text)]);
        let none = Value::unnamed_variant("None", []);
        let bonds = Value::unnamed_variant("ResetBondsFlag", []);
        assert_eq!(text(&registration(vec![raw("Raw3", "a/b")])).as_deref(), Some("a/b"));
        assert_eq!(text(&registration(vec![none, raw("BigRaw", "https://a")])).as_deref(), Some("https://a"));
        assert_eq!(text(&registration(vec![bonds])), None);
        assert_eq!(
            text(&registration(vec![Value::unnamed_variant("Sha256", [Value::from_bytes([7; 32])])])),
            None
        );
        assert_eq!(
            text(&registration(vec![Value::unnamed_variant("Raw1", [Value::from_bytes([0xff])])])),
            None
        );
        assert_eq!(text(&Value::u128(82)), None);
        let endless = text(&registration(vec![raw("BigRaw", &"a".repeat(100_000))]));
        assert_eq!(endless.map(|text| text.len()), Some(513));
    }
}
