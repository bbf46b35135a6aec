//! Whether a runtime has what is asked of it, in the form in which it is read: before it is asked for, and after an upgrade.

use super::commitments;
use super::node_error::NodeError;
use super::sealed::Commit;
use super::settings::ChainSettings;
use super::values::SUBTENSOR;
use super::weights::{Call, can_commit, plain, sealed};
use crate::chain::ChainError;
use subxt::dynamic::Value;
use subxt::ext::frame_decode::extrinsics::encode_call_data;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::metadata::{Metadata, StorageEntryMetadata};
use subxt::utils::AccountId32;

/// Whether an entry may be missing.
#[derive(Clone, Copy, PartialEq)]
enum May {
    /// Without it nothing goes.
    Not,
    /// Runtimes have come without it; then something else stands for it.
    BeMissing,
}

/// What is wrong with the form of an entry.
type Judge = fn(&Metadata, &StorageEntryMetadata) -> Option<String>;
/// An entry of storage: pallet, name, whether it may be missing, and who judges its form.
type Entry = (&'static str, &'static str, May, Judge);

/// An entry of the subnets' pallet.
fn of(name: &'static str, may: May, form: Judge) -> Entry {
    (SUBTENSOR, name, may, form)
}

/// What is read, as it is read: the number of keys, and the type of the value.
fn entries() -> Vec<Entry> {
    use May::{BeMissing, Not};
    vec![
        ("Timestamp", "Now", Not, form::<u64, 0>),
        ("Commitments", "CommitmentOf", Not, form::<Value, 2>),
        of("NetworksAdded", Not, form::<bool, 1>),
        of("Keys", Not, form::<AccountId32, 2>),
        of("Uids", Not, form::<u16, 2>),
        of("Owner", Not, form::<AccountId32, 1>),
        of("ValidatorPermit", Not, form::<Vec<bool>, 1>),
        of("LastUpdate", Not, form::<Vec<u64>, 1>),
        of("BlockAtRegistration", Not, form::<u64, 2>),
        of("Weights", Not, form::<Vec<(u16, u16)>, 2>),
        of("Bonds", Not, form::<Vec<(u16, u16)>, 2>),
        of("WeightsVersionKey", Not, form::<u64, 1>),
        of("WeightsSetRateLimit", Not, form::<u64, 1>),
        of("MinAllowedWeights", Not, form::<u16, 1>),
        of("MaxWeightsLimit", BeMissing, form::<u16, 1>),
        of("Tempo", Not, form::<u16, 1>),
        of("Kappa", Not, form::<u16, 1>),
        of("BondsMovingAverage", Not, form::<u64, 1>),
        of("BondsPenalty", BeMissing, form::<u16, 1>),
        of("Consensus", Not, form::<Vec<u16>, 1>),
        of("Incentive", Not, form::<Vec<u16>, 1>),
        of("Dividends", Not, form::<Vec<u16>, 1>),
        of("ValidatorTrust", Not, form::<Vec<u16>, 1>),
        of("Emission", Not, form::<Vec<u64>, 1>),
        of("ActivityCutoff", BeMissing, form::<u16, 1>),
        of("ActivityCutoffFactorMilli", BeMissing, form::<u32, 1>),
        of("LiquidAlphaOn", BeMissing, form::<bool, 1>),
        of("AlphaValues", BeMissing, form::<(u16, u16), 1>),
        of("AlphaSigmoidSteepness", BeMissing, form::<i16, 1>),
        of("Yuma3On", BeMissing, form::<bool, 1>),
        of("LastMechansimStepBlock", BeMissing, form::<u64, 1>),
        of("SubnetOwner", Not, form::<AccountId32, 1>),
        of("SubnetOwnerHotkey", BeMissing, form::<AccountId32, 1>),
        of("SubnetEpochConsensus", BeMissing, form::<Value, 1>),
        of("StakeThreshold", BeMissing, form::<u64, 0>),
        of("WeightsMinStake", BeMissing, form::<u64, 0>),
        of("CommitRevealWeightsEnabled", BeMissing, form::<bool, 1>),
        of("CommitRevealWeightsVersion", BeMissing, form::<u16, 0>),
        of("RevealPeriodEpochs", BeMissing, form::<u64, 1>),
        of("LastEpochBlock", BeMissing, form::<u64, 1>),
        of("PendingEpochAt", BeMissing, form::<u64, 1>),
        of("BlocksSinceLastStep", Not, form::<u64, 1>),
    ]
}

/// What is wrong with the form of an entry: its number of keys, or its default value cannot be read as it would be.
fn form<T: DecodeAsType, const KEYS: usize>(
    metadata: &Metadata,
    entry: &StorageEntryMetadata,
) -> Option<String> {
    let keys = entry.keys().len();
    if keys != KEYS {
        return Some(format!("has {keys} keys instead of {KEYS}"));
    }
    let mut default = entry.default_value()?;
    let read = T::decode_as_type(&mut default, entry.value_ty(), metadata.types());
    read.err().map(|error| format!("is of another type: {error}"))
}

/// What a runtime lacks of what is asked of it, or has in another form: a sentence for each.
pub(super) fn lacking(metadata: &Metadata, settings: &ChainSettings) -> Vec<String> {
    let mut faults = Vec::new();
    for (pallet, name, may, fault) in entries() {
        let found = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.storage());
        match found.and_then(|storage| storage.entry_by_name(name)) {
            Some(entry) => {
                faults.extend(fault(metadata, entry).map(|why| format!("storage {pallet}.{name} {why}")));
            }
            None if may == May::Not => faults.push(format!("there is no storage {pallet}.{name}")),
            None => {}
        }
    }
    let mut calls =
        vec![plain(metadata, settings, &[(0, 1)]), commitments::call(metadata, settings.netuid, "a")];
    // A runtime without commits has subnets without them.
    if can_commit(metadata) {
        calls.push(sealed(metadata, settings, &Commit { sealed: vec![0], round: 1 }));
    }
    faults.extend(calls.into_iter().filter_map(|call| unfit(metadata, call)));
    faults
}

/// What is wrong with a call.
fn unfit(metadata: &Metadata, call: Result<Call, NodeError>) -> Option<String> {
    match call {
        Ok(call) => {
            let (pallet, name) = (call.pallet_name(), call.call_name());
            encode_call_data(pallet, name, call.call_data(), metadata, metadata.types())
                .err()
                .map(|error| format!("call {pallet}.{name} has another form: {error}"))
        }
        Err(NodeError::Said(ChainError::Missing { what })) => Some(format!("there is no {what}")),
        Err(error) => Some(format!("a call cannot be made: {error:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use subxt::ext::scale_value::Composite;

    fn metadata(name: &str) -> Metadata {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/metadata");
        Metadata::decode_from(&std::fs::read(folder.join(name)).unwrap()).unwrap()
    }

    #[test]
    fn runtimes_old_and_new_have_all_that_is_asked_of_them() {
        let settings = ChainSettings::new(123, 0);
        for name in ["spec-218.scale", "spec-351.scale"] {
            assert_eq!(lacking(&metadata(name), &settings), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn what_is_lacking_is_named() {
        let second = ChainSettings { mechanism: 1, ..ChainSettings::new(123, 0) };
        let faults = lacking(&metadata("spec-218.scale"), &second);
        let call =
            "there is no call SubtensorModule.set_mechanism_weights, which weights of mechanism 1 need";
        assert_eq!(faults, [call]);
        assert_eq!(lacking(&metadata("spec-351.scale"), &second), Vec::<String>::new());
    }

    #[test]
    fn another_form_is_seen() {
        let metadata = metadata("spec-351.scale");
        let storage = metadata.pallet_by_name(SUBTENSOR).unwrap().storage().unwrap();
        let wrong =
            |name, fault: Judge| fault(&metadata, storage.entry_by_name(name).unwrap()).unwrap_or_default();
        assert!(wrong("Tempo", form::<Vec<bool>, 1>).starts_with("is of another type"));
        assert_eq!(wrong("Tempo", form::<u16, 2>), "has 1 keys instead of 2");
        assert_eq!(wrong("Tempo", form::<u16, 1>), "");
        let call =
            subxt::dynamic::tx(SUBTENSOR, "set_weights", Composite::named([("netuid", Value::u128(1))]));
        assert!(
            unfit(&metadata, Ok(call))
                .unwrap()
                .starts_with("call SubtensorModule.set_weights has another form")
        );
    }
}
