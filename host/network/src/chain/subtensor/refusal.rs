//! The chain's refusals: their names, and what to do.

use super::node_error::NodeError;
use crate::chain::ChainError;
use subxt::error::{BackendError, DispatchError, ExtrinsicError, RpcError};
use subxt::transactions::{TransactionInvalid, TransactionUnknown};

/// Meanings of the pool's numbers since they have names in the chain's code, with the names that these have there.
const CUSTOM: [(u8, &str); 15] = [
    (0, "ColdkeySwapAnnounced"),
    (1, "NotEnoughStakeToSetWeights"),
    (2, "BalanceTooLow"),
    (3, "SubnetNotExists"),
    (4, "HotkeyAccountDoesntExist"),
    (6, "SettingWeightsTooFast"),
    (10, "HotKeyNotRegisteredInSubNet"),
    (14, "ZeroMaxAmount"),
    (15, "InvalidRevealRound"),
    (16, "CommitNotFound"),
    (18, "InputLengthsUnequal"),
    (19, "UidNotFound"),
    (21, "ColdkeySwapDisputed"),
    (24, "InvalidShieldedTxPubKeyHash"),
    (255, "BadRequest"),
];
/// Their meanings before.
const CUSTOM_BEFORE: [(u8, &str); 6] = [
    (1, "NotEnoughStakeToSetWeights"),
    (2, "NotEnoughStakeToSetWeights"),
    (3, "NotEnoughStakeToSetWeights"),
    (4, "NotEnoughStakeToSetWeights"),
    (5, "TooManyRegistrationsThisInterval"),
    (7, "NotEnoughStakeToSetWeights"),
];

/// How a runtime numbers the pool's refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// By call: spec 218 and its like.
    Before,
    /// By cause.
    Named,
}

impl Numbering {
    /// That of a runtime. The minimum stake was renamed at about the time when the numbers changed their meaning; both
    /// before any runtime with time-locked weights.
    pub(super) fn read(at: &super::node::At) -> Self {
        let subtensor = at.metadata_ref().pallet_by_name(super::values::SUBTENSOR);
        let old = subtensor.and_then(|pallet| pallet.storage()).is_some_and(|storage| {
            storage.entry_by_name("WeightsMinStake").is_some()
                && storage.entry_by_name("StakeThreshold").is_none()
        });
        if old { Self::Before } else { Self::Named }
    }

    fn name(self, code: u8) -> String {
        let table: &[(u8, &str)] = match self {
            Self::Before => &CUSTOM_BEFORE,
            Self::Named => &CUSTOM,
        };
        let found = table.iter().find(|(number, _)| *number == code);
        found.map_or_else(|| format!("Custom error {code}"), |(_, name)| (*name).to_owned())
    }
}

/// A refusal with a cure of the caller's.
pub(super) fn refused(doing: &'static str, name: &str, cure: &str) -> NodeError {
    NodeError::Said(ChainError::Refused { doing, name: name.into(), cure: cure.into() })
}

/// A refusal with the cure that its name has.
fn named(doing: &'static str, name: &str) -> NodeError {
    refused(doing, name, cure(name))
}

/// A transaction that was in a block, and failed there.
pub(super) fn dispatch(doing: &'static str, error: &DispatchError) -> NodeError {
    match error {
        DispatchError::Module(module) => {
            let details = module.details();
            let name =
                details.map_or_else(|_| module.details_string(), |details| details.variant.name.clone());
            named(doing, &name)
        }
        other => refused(doing, &format!("{other:?}"), GENERAL),
    }
}

/// A transaction that would be invalid.
pub(super) fn invalid(doing: &'static str, why: &TransactionInvalid, numbering: Numbering) -> NodeError {
    match why {
        TransactionInvalid::Custom(code) => named(doing, &numbering.name(*code)),
        other => named(doing, &format!("{other:?}")),
    }
}

/// A transaction of which the chain does not know whether it is valid.
pub(super) fn unknown(doing: &'static str, why: &TransactionUnknown) -> NodeError {
    named(doing, &format!("{why:?}"))
}

/// An error of building or sending a transaction: what the pool says, or what is wrong with the node.
pub(super) fn sending(doing: &'static str, error: ExtrinsicError, numbering: Numbering) -> NodeError {
    use frame_error::{call, pallet};
    if let Some(what) = pallet(&error).or_else(|| call(&error)) {
        return NodeError::Said(ChainError::Missing { what });
    }
    let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
        subxt::rpcs::Error::User(user),
    ))) = &error
    else {
        return NodeError::broken(error);
    };
    let data = user.data.as_ref().map(|data| data.get().trim_matches('"').to_owned()).unwrap_or_default();
    match user.code {
        1010 => match custom(&data).or_else(|| custom(&user.message)) {
            Some(code) => named(doing, &numbering.name(code)),
            None => refused(doing, &format!("{}: {data}", user.message), GENERAL),
        },
        1011 => named(doing, "UnknownValidity"),
        1012 => named(doing, "TemporarilyBanned"),
        1013 => named(doing, "AlreadyImported"),
        1014 => named(doing, "PriorityTooLow"),
        _ => NodeError::broken(error),
    }
}

/// The number in what the pool says: `Custom error: 3`, or, as JSON, `{"invalid":{"custom":3}}`.
fn custom(said: &str) -> Option<u8> {
    let lower = said.to_ascii_lowercase();
    let (_, after) = lower.split_once("custom")?;
    let digits = after.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// The cure of a refusal that has none of its own.
const GENERAL: &str = "look the name up in the chain's documentation; the next try may do better";

/// What to do about a refusal.
fn cure(name: &str) -> &'static str {
    match name {
        "HotKeyNotRegisteredInSubNet" | "UidNotFound" | "HotkeyAccountDoesntExist" => {
            "register the hotkey in the subnet, or choose another"
        }
        "SettingWeightsTooFast" | "CommittingWeightsTooFast" => "wait for the subnet's rate limit to pass",
        "IncorrectWeightVersionKey" => {
            "update this program, or set `version_key` in [network] if it is up to date"
        }
        "NotEnoughStakeToSetWeights" => {
            "stake more on the hotkey: the chain demands a minimum of those who set weights"
        }
        "NeuronNoValidatorPermit" => "stake more on the hotkey until it has a permit",
        "CommitRevealEnabled" => "the subnet turned commit-reveal on just now; the next try commits",
        "CommitRevealDisabled" => "the subnet turned commit-reveal off just now; the next try sets",
        "IncorrectCommitRevealVersion" => "update this program: the chain commits weights in another way",
        "TooManyUnrevealedCommits" => "wait until earlier commits are revealed",
        "InvalidRevealRound" => "check the clock of the node: the round lies in the past",
        "SubNetworkDoesNotExist" | "MechanismDoesNotExist" | "SubnetNotExists" => {
            "check the netuid and the network"
        }
        "DuplicateUids" => "name each UID once",
        "UidVecContainInvalidOne" | "UidsLengthExceedUidsInSubNet" => {
            "read the metagraph again: UIDs have changed"
        }
        "WeightVecLengthIsLow" => "set more weights than that: the subnet demands a minimum number of them",
        "MaxWeightExceeded" => "spread the weights: the subnet limits the largest",
        "AccountNotAllowedCommit" => "register the hotkey in the subnet",
        "TooManyFieldsInCommitmentInfo" | "SpaceLimitExceeded" => {
            "commit less, or later: the space for it is limited"
        }
        "CommitmentSetRateLimitExceeded" => "commit later: there is a rate limit",
        "Payment" | "BalanceTooLow" => "put some TAO on the account: it cannot pay the fee",
        "Stale" | "Future" | "AlreadyImported" | "PriorityTooLow" | "TemporarilyBanned" => {
            "another transaction of this hotkey is under way, perhaps an earlier try: wait a few minutes"
        }
        "AncientBirthBlock" | "BadProof" => {
            "try again; if it stays so, check that all nodes belong to one chain"
        }
        "ColdkeySwapAnnounced" | "ColdkeySwapDisputed" => {
            "complete or clear the swap of the coldkey: until then the chain takes nothing else from it"
        }
        "CommitNotFound" => "nothing is committed that could be revealed; the next try commits again",
        "InputLengthsUnequal" => "report this: as many weights as UIDs must be sent",
        "TooManyRegistrationsThisInterval" => "register later: the subnet limits how many do at a time",
        _ => GENERAL,
    }
}

/// What the runtime lacks, by the library's errors: they are several for the same thing.
mod frame_error {
    use subxt::error::ExtrinsicError;
    use subxt::ext::frame_decode::extrinsics::{ExtrinsicEncodeError, ExtrinsicInfoError};

    pub(super) fn pallet(error: &ExtrinsicError) -> Option<String> {
        match error {
            ExtrinsicError::PalletNameNotFound(name) => Some(format!("pallet {name}")),
            ExtrinsicError::EncodeError(ExtrinsicEncodeError::CannotGetInfo(
                ExtrinsicInfoError::PalletNotFoundByName { name },
            )) => Some(format!("pallet {name}")),
            _ => None,
        }
    }

    pub(super) fn call(error: &ExtrinsicError) -> Option<String> {
        match error {
            ExtrinsicError::CallNameNotFound { pallet_name, call_name } => {
                Some(format!("call {pallet_name}.{call_name}"))
            }
            ExtrinsicError::EncodeError(ExtrinsicEncodeError::CannotGetInfo(
                ExtrinsicInfoError::CallNotFoundByName { call_name, pallet_name, .. },
            )) => Some(format!("call {pallet_name}.{call_name}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pools_numbers_are_read_in_every_form() {
        assert_eq!(custom("Custom error: 3"), Some(3));
        assert_eq!(custom(r#"{"invalid":{"custom":255}}"#), Some(255));
        assert_eq!(custom("Inability to pay some fees"), None);
        assert_eq!(custom("custom error: 256"), None);
    }

    #[test]
    fn numbers_mean_what_they_mean_in_the_runtime() {
        assert_eq!(Numbering::Before.name(3), "NotEnoughStakeToSetWeights");
        assert_eq!(Numbering::Named.name(3), "SubnetNotExists");
        assert_eq!(Numbering::Named.name(1), "NotEnoughStakeToSetWeights");
        assert_eq!(Numbering::Named.name(6), "SettingWeightsTooFast");
        assert_eq!(Numbering::Named.name(99), "Custom error 99");
    }

    #[test]
    fn every_name_of_a_number_that_our_calls_meet_has_a_cure_of_its_own() {
        // Refusals of staking, of shielded transactions, and of requests that the chain itself does not tell apart.
        let others = ["ZeroMaxAmount", "InvalidShieldedTxPubKeyHash", "BadRequest"];
        let names = CUSTOM.iter().chain(&CUSTOM_BEFORE).map(|(_, name)| *name);
        let without: Vec<&str> = names.filter(|name| cure(name) == GENERAL).collect();
        assert_eq!(without, others);
    }
}
