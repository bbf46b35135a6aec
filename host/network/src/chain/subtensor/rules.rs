//! What the chain demands of weights, and how a hotkey stands with it.

use super::node::At;
use super::node_error::NodeError;
use super::refusal::refused;
use super::values::{SUBTENSOR, any, block, number, optional, value};
use crate::chain::{ChainError, Hyperparameters};
use mantis_config::Block;
use subxt::dynamic::Value;
use subxt::utils::AccountId32;

/// A hotkey of the subnet.
pub(super) struct SignerState {
    pub(super) uid: u16,
    pub(super) permit: bool,
    /// The block in which it last set or committed weights; 0: never.
    pub(super) last_update: Block,
}

/// The subnet's settings, as they are now.
pub(super) async fn hyperparameters(at: &At, netuid: u16) -> Result<Hyperparameters, NodeError> {
    let keys = || vec![number(netuid)];
    Ok(Hyperparameters {
        version_key: value(at, "WeightsVersionKey", keys()).await?,
        weights_rate_limit: value(at, "WeightsSetRateLimit", keys()).await?,
        // A runtime without it knows no commits.
        commit_reveal: any(at, &["CommitRevealWeightsEnabled"], keys).await?.unwrap_or(false),
        commit_reveal_version: any(at, &["CommitRevealWeightsVersion"], Vec::new).await?,
        reveal_period: any(at, &["RevealPeriodEpochs"], keys).await?.unwrap_or(1),
        tempo: value(at, "Tempo", keys()).await?,
        min_stake: any(at, &["StakeThreshold", "WeightsMinStake"], Vec::new).await?.unwrap_or(0),
        min_weights: value(at, "MinAllowedWeights", keys()).await?,
        max_weight: max_weight(at, netuid).await?,
        one_decides: one_decides(at, netuid).await?,
    })
}

/// The largest part of all weights that one UID may be given, in 65,535ths: all of it where a runtime sets no limit.
pub(super) async fn max_weight(at: &At, netuid: u16) -> Result<u16, NodeError> {
    Ok(any(at, &["MaxWeightsLimit"], || vec![number(netuid)]).await?.unwrap_or(u16::MAX))
}

/// Whether the subnet has no consensus, but the weights of one validator.
pub(super) async fn one_decides(at: &At, netuid: u16) -> Result<bool, NodeError> {
    let mode: Option<Value> = any(at, &["SubnetEpochConsensus"], || vec![number(netuid)]).await?;
    Ok(mode.is_some_and(|mode| mode.to_string().starts_with("Null")))
}

/// How a hotkey stands. `index` is where the chain keeps what belongs to the mechanism.
///
/// # Errors
/// If it is not registered.
pub(super) async fn standing(
    at: &At,
    (netuid, index): (u16, u16),
    hotkey: &AccountId32,
) -> Result<SignerState, NodeError> {
    let keys = vec![number(netuid), Value::from_bytes(hotkey.0)];
    let Some(uid) = optional::<u16>(at, SUBTENSOR, "Uids", keys).await? else {
        return Err(refused(
            "the weights",
            "HotKeyNotRegisteredInSubNet",
            &format!("register {hotkey} in subnet {netuid}"),
        ));
    };
    let permits: Vec<bool> = value(at, "ValidatorPermit", vec![number(netuid)]).await?;
    let updates: Vec<u64> = value(at, "LastUpdate", vec![number(index)]).await?;
    let place = usize::from(uid);
    Ok(SignerState {
        uid,
        permit: permits.get(place).copied().unwrap_or(false),
        last_update: block(updates.get(place).copied().unwrap_or(0)),
    })
}

/// Checks what can be known before anything is sent. The rest, such as the stake, the chain checks when it validates
/// the transaction.
///
/// # Errors
/// The rule that is broken, under the chain's own name.
pub(super) fn check(
    rules: &Hyperparameters,
    standing: &SignerState,
    version_key: u64,
    block: Block,
) -> Result<(), ChainError> {
    let doing = "the weights";
    let refused = |name: &str, cure: String| Err(ChainError::Refused { doing, name: name.into(), cure });
    if !standing.permit {
        return refused("NeuronNoValidatorPermit", "stake more on the hotkey until it has a permit".into());
    }
    if version_key < rules.version_key {
        let cure = format!(
            "the subnet wants version {} or later and ours is {version_key}: update this program, or set \
             `version_key` in [network] if it is up to date",
            rules.version_key
        );
        return refused("IncorrectWeightVersionKey", cure);
    }
    let next = standing.last_update + i64::try_from(rules.weights_rate_limit).unwrap_or(i64::MAX);
    // The newest block is behind the one that the transaction will be in.
    if standing.last_update != Block(0) && block + 1 < next {
        return refused("SettingWeightsTooFast", format!("try again at block {next}; this is {block}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Hyperparameters {
        Hyperparameters {
            version_key: 7,
            weights_rate_limit: 100,
            commit_reveal: false,
            commit_reveal_version: None,
            reveal_period: 1,
            tempo: 360,
            min_stake: 0,
            min_weights: 0,
            max_weight: u16::MAX,
            one_decides: false,
        }
    }

    fn name(permit: bool, last_update: i64, version_key: u64, block: i64) -> String {
        let (last_update, block) = (Block(last_update), Block(block));
        match check(&rules(), &SignerState { uid: 1, permit, last_update }, version_key, block) {
            Ok(()) => "ok".into(),
            Err(ChainError::Refused { name, .. }) => name,
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn the_first_broken_rule_is_named() {
        assert_eq!(name(true, 0, 7, 5), "ok");
        assert_eq!(name(true, 0, 8, 5), "ok");
        assert_eq!(name(false, 0, 7, 5), "NeuronNoValidatorPermit");
        assert_eq!(name(true, 0, 6, 5), "IncorrectWeightVersionKey");
        assert_eq!(name(true, 500, 7, 598), "SettingWeightsTooFast");
        // It will be in block 600.
        assert_eq!(name(true, 500, 7, 599), "ok");
    }
}
