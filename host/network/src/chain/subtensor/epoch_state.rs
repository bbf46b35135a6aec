//! What an epoch of the subnet goes by, read at one block.

use super::neurons::{by_uid, exists, hotkeys};
use super::node::{At, Node};
use super::node_error::NodeError;
use super::rules::{max_weight, one_decides};
use super::values::{SUBTENSOR, any, block, number, optional, said, value};
use crate::chain::{ChainError, EpochRules, EpochState, Given, NeuronState};
use mantis_config::Block;
use std::collections::BTreeMap;
use subxt::dynamic::{Value, runtime_api_call, storage};
use subxt::error::RuntimeApiError;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::utils::AccountId32;

/// Commits of one subnet that are read: more than the chain keeps.
const MOST_COMMITS: usize = 1 << 16;
/// Where neither the chain nor the runtime says otherwise: bonds followed clipped weights before there was a setting.
const WHOLE: u16 = u16::MAX;

/// What an epoch goes by, at the newest block that is final. `index` is where the chain keeps what belongs to the mechanism.
pub(super) async fn epoch_state(node: &Node, (netuid, index): (u16, u16)) -> Result<EpochState, NodeError> {
    let at = node.finalized().await?;
    exists(&at, netuid).await?;
    let hotkeys = hotkeys(&at, netuid).await?;
    let rules = rules(&at, netuid, &hotkeys).await?;
    let stakes = stakes(&at, netuid, rules.owner).await?;
    let keys = || vec![number(netuid)];
    let permits: Vec<bool> = value(&at, "ValidatorPermit", keys()).await?;
    let updates: Vec<u64> = value(&at, "LastUpdate", vec![number(index)]).await?;
    let registered: BTreeMap<u16, u64> = by_uid(&at, "BlockAtRegistration", netuid).await?;
    let mut weights: BTreeMap<u16, Vec<(u16, u16)>> = by_uid(&at, "Weights", index).await?;
    let mut bonds: BTreeMap<u16, Vec<(u16, u16)>> = by_uid(&at, "Bonds", index).await?;
    let committed = if rules.commit_reveal { commits(&at, index).await? } else { BTreeMap::new() };
    let given = Lists::read(&at, netuid, index).await?;
    let neuron = |(uid, hotkey): (u16, AccountId32)| {
        // A neuron of this very block may not have its place in the lists yet.
        let place = usize::from(uid);
        NeuronState {
            uid,
            stake: stakes.get(place).copied().unwrap_or(0),
            permit: permits.get(place).copied().unwrap_or(false),
            last_update: block(updates.get(place).copied().unwrap_or(0)),
            registered: block(registered.get(&uid).copied().unwrap_or(0)),
            committed: committed.get(&hotkey.0).copied(),
            weights: weights.remove(&uid).unwrap_or_default(),
            bonds: bonds.remove(&uid).unwrap_or_default(),
            given: Some(given.of(place)),
            hotkey: hotkey.to_string(),
        }
    };
    Ok(EpochState {
        block: block(at.block_number()),
        rules,
        neurons: hotkeys.into_iter().map(neuron).collect(),
    })
}

async fn rules(at: &At, netuid: u16, hotkeys: &BTreeMap<u16, AccountId32>) -> Result<EpochRules, NodeError> {
    let keys = || vec![number(netuid)];
    let tempo: u16 = value(at, "Tempo", keys()).await?;
    // A runtime has one of both, or the second without a meaning.
    let activity_cutoff = match any::<u32>(at, &["ActivityCutoffFactorMilli"], keys).await? {
        Some(factor) => (u64::from(factor) * u64::from(tempo) / 1000).max(1),
        None => value::<u16>(at, "ActivityCutoff", keys()).await?.into(),
    };
    let liquid_alpha = if any(at, &["LiquidAlphaOn"], keys).await?.unwrap_or(false) {
        let (low, high) = value(at, "AlphaValues", keys()).await?;
        Some((low, high, any(at, &["AlphaSigmoidSteepness"], keys).await?.unwrap_or(1000)))
    } else {
        None
    };
    let last_epoch: Option<u64> = any(at, &["LastMechansimStepBlock"], keys).await?;
    let owner = owner(at, netuid).await?;
    Ok(EpochRules {
        kappa: value(at, "Kappa", keys()).await?,
        bonds_penalty: any(at, &["BondsPenalty"], keys).await?.unwrap_or(WHOLE),
        bonds_moving_average: value(at, "BondsMovingAverage", keys()).await?,
        yuma3: any(at, &["Yuma3On"], keys).await?.unwrap_or(false),
        liquid_alpha,
        activity_cutoff,
        tempo,
        last_epoch: last_epoch.filter(|last| *last > 0).map(block),
        commit_reveal: any(at, &["CommitRevealWeightsEnabled"], keys).await?.unwrap_or(false),
        reveal_period: any(at, &["RevealPeriodEpochs"], keys).await?.unwrap_or(1),
        one_decides: one_decides(at, netuid).await?,
        min_weights: value(at, "MinAllowedWeights", keys()).await?,
        max_weight: max_weight(at, netuid).await?,
        owner: owner
            .and_then(|owner| hotkeys.iter().find(|(_, hotkey)| **hotkey == owner).map(|(uid, _)| *uid)),
    })
}

/// The hotkey of the subnet's owner.
async fn owner(at: &At, netuid: u16) -> Result<Option<AccountId32>, NodeError> {
    match optional(at, SUBTENSOR, "SubnetOwnerHotkey", vec![number(netuid)]).await {
        Err(NodeError::Said(ChainError::Missing { .. })) => Ok(None),
        found => found,
    }
}

/// The part of the runtime's answer about the subnet that is needed.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct SubnetStake {
    total_stake: Vec<u64>,
}

/// The stake that counts, by UID, where it is above the threshold. Of a runtime that does not say it: its part of all, as of the last epoch.
async fn stakes(at: &At, netuid: u16, owner: Option<u16>) -> Result<Vec<u64>, NodeError> {
    let call = runtime_api_call::<Vec<Value>, Option<SubnetStake>>(
        "SubnetInfoRuntimeApi",
        "get_subnet_state",
        vec![number(netuid)],
    );
    let answer = match at.runtime_apis().call(call).await {
        Ok(answer) => answer,
        // Runtimes before it gave bytes.
        Err(
            RuntimeApiError::TraitNotFound(_)
            | RuntimeApiError::MethodNotFound { .. }
            | RuntimeApiError::CouldNotDecodeResponse(_),
        ) => None,
        Err(error) => return Err(NodeError::broken(error)),
    };
    let Some(SubnetStake { mut total_stake }) = answer else {
        let parts: Vec<u16> = value(at, "StakeWeight", vec![number(netuid)]).await?;
        return Ok(parts.into_iter().map(u64::from).collect());
    };
    let least: u64 = any(at, &["StakeThreshold", "WeightsMinStake"], Vec::new).await?.unwrap_or(0);
    let is_owner = |uid: usize| owner.is_some_and(|owner| usize::from(owner) == uid);
    for (uid, stake) in total_stake.iter_mut().enumerate() {
        if *stake < least && !is_owner(uid) {
            *stake = 0;
        }
    }
    Ok(total_stake)
}

/// Of each hotkey, the block of the oldest commit that is not shown yet.
async fn commits(at: &At, index: u16) -> Result<BTreeMap<[u8; 32], Block>, NodeError> {
    type Commit = (AccountId32, u64, Vec<u8>, u64);
    let mut oldest = BTreeMap::new();
    let address = storage::<Vec<Value>, Vec<Commit>>(SUBTENSOR, "TimelockedWeightCommits");
    let mut entries = match at.storage().iter(address, vec![number(index)]).await.map_err(said) {
        // A runtime before it keeps them elsewhere, and no block with them.
        Err(NodeError::Said(ChainError::Missing { .. })) => return Ok(oldest),
        entries => entries?,
    };
    let mut read = 0;
    while let Some(entry) = entries.next().await {
        let commits = entry.map_err(said)?.value().decode().map_err(NodeError::broken)?;
        read += commits.len() + 1;
        if read > MOST_COMMITS {
            return Err(NodeError::broken(format!(
                "it gives more than {MOST_COMMITS} commits of one subnet"
            )));
        }
        for (hotkey, number, ..) in commits {
            let known = oldest.entry(hotkey.0).or_insert_with(|| block(number));
            *known = (*known).min(block(number));
        }
    }
    Ok(oldest)
}

/// What the last epoch gave, by UID.
struct Lists {
    consensus: Vec<u16>,
    incentive: Vec<u16>,
    dividends: Vec<u16>,
    validator_trust: Vec<u16>,
    emission: Vec<u64>,
}

impl Lists {
    async fn read(at: &At, netuid: u16, index: u16) -> Result<Self, NodeError> {
        let keys = || vec![number(netuid)];
        Ok(Self {
            consensus: value(at, "Consensus", keys()).await?,
            incentive: value(at, "Incentive", vec![number(index)]).await?,
            dividends: value(at, "Dividends", keys()).await?,
            validator_trust: value(at, "ValidatorTrust", keys()).await?,
            emission: value(at, "Emission", keys()).await?,
        })
    }

    fn of(&self, place: usize) -> Given {
        let at = |list: &[u16]| list.get(place).copied().unwrap_or(0);
        Given {
            consensus: at(&self.consensus),
            incentive: at(&self.incentive),
            dividends: at(&self.dividends),
            validator_trust: at(&self.validator_trust),
            emission: self.emission.get(place).copied().unwrap_or(0),
        }
    }
}
