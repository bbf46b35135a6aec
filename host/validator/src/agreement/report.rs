//! What is said about agreement.

use super::error::AgreementError;
use super::reasons::{Book, Reasons};
use super::row::{Placed, RowAgreement, of_nobody, of_uid};
use super::subnet::yuma;
use crate::setter::registered_weights;
use mantis_config::{Block, Network};
use mantis_ledger::{Computation, Ledger};
use mantis_network::chain::{DAY_BLOCKS, EpochState, Neuron, NeuronState};
use mantis_weights::WeightLimits;
use mantis_weights::yuma::{Bonds, YumaInput, distance, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a weight, as a part of its row, may be from the consensus and still count as the same: less than 16 bits tell apart.
const SAME: f64 = 1e-6;

/// How our weights stand with all others, at one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agreement {
    /// The chain's block, which is final.
    pub block: i64,
    /// The block that our newest weights were computed for.
    pub computed: i64,
    /// What the subnet's epochs go by.
    pub subnet: Subnet,
    /// Our hotkey on the chain; null where none is named.
    pub ours: Option<Ours>,
    /// How the row stands that the chain shows of us; null where it shows none.
    pub shown: Option<RowAgreement>,
    /// How our newest weights stand, as if they were shown.
    pub newest: RowAgreement,
    /// The other validators with a permit and stake, the one with the most stake first.
    pub validators: Vec<OtherValidator>,
    /// Miners whose newest weight of ours is not the consensus, the largest difference first.
    pub miners: Vec<MinerDifference>,
    /// What the chain's last epoch gave, by hotkey: alpha a day at that rate, as miner and as validator. Those that were given nothing
    /// are left out; empty where the chain runs no epochs.
    #[serde(default)]
    pub alpha_per_day: BTreeMap<String, f64>,
}

/// What the subnet's epochs go by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Subnet {
    /// Its number.
    pub netuid: u16,
    /// The part of the stake that makes a consensus, 0 to 1.
    pub kappa: f64,
    /// Whether bonds are kept per validator and miner (Yuma 3).
    pub yuma3: bool,
    /// Blocks of an epoch.
    pub tempo: u16,
    /// The block of the last epoch; null where the chain does not say.
    pub last_epoch: Option<i64>,
    /// Epochs from a commit of weights to its reveal; null where weights are shown at once.
    pub reveal_period: Option<u64>,
}

/// Our hotkey on the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ours {
    /// Its UID.
    pub uid: u16,
    /// The hotkey.
    pub hotkey: String,
    /// Its part of the stake that counts, with weights that are newly set, 0 to 1.
    pub stake: f64,
    /// Blocks since it last set or committed weights, or registered.
    pub age: i64,
    /// Blocks since its oldest commit that is not shown yet; null where there is none.
    pub committed: Option<i64>,
    /// Its validator trust by the chain's last epoch; null where the chain runs none.
    pub validator_trust: Option<f64>,
    /// Its part of all dividends by the chain's last epoch; null where the chain runs none.
    pub dividends: Option<f64>,
}

/// Another validator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OtherValidator {
    /// Its UID.
    pub uid: u16,
    /// Its hotkey.
    pub hotkey: String,
    /// Its part of the stake that counts, 0 to 1; 0 where it has set nothing for too long.
    pub stake: f64,
    /// Blocks since it last set or committed weights, or registered.
    pub age: i64,
    /// Blocks since its oldest commit that is not shown yet; null where there is none.
    pub committed: Option<i64>,
    /// What of its weights is not clipped, 0 to 1, as they are shown.
    pub validator_trust: f64,
    /// How far our row on the chain is from its row, 0 to 2; null where one of both is empty.
    pub distance_shown: Option<f64>,
    /// How far our newest weights are from its row, 0 to 2; null where it is empty.
    pub distance_newest: Option<f64>,
}

/// A miner whose weight of ours is not the consensus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MinerDifference {
    /// Its UID.
    pub uid: u16,
    /// Its hotkey.
    pub hotkey: String,
    /// Our newest weight, as a part of our row.
    pub newest: f64,
    /// Our weight that the chain shows, as a part of that row; null where it shows none of us.
    pub shown: Option<f64>,
    /// The weight that enough stake gives it at least; what is above it is clipped.
    pub consensus: f64,
    /// Where ours comes from.
    pub reasons: Reasons,
}

impl MinerDifference {
    /// Our newest weight less the consensus.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.newest - self.consensus
    }
}

/// Compares the newest weights of a ledger with what the chain shows. `hotkey` is ours; without one, nobody's row and stake are looked at, and
/// the weights stand as those of somebody without stake would.
///
/// # Errors
/// If there is nothing to compare: no weights in the ledger, nobody's on the chain, or the hotkey may not set any.
pub fn agreement(
    state: &EpochState,
    ledger: &Ledger,
    network: &Network,
    hotkey: Option<&str>,
) -> Result<Agreement, AgreementError> {
    let block = state.block;
    let computation = ledger
        .last_weights()?
        .ok_or_else(|| AgreementError::NoComputation { ledger: ledger.path().display().to_string() })?;
    if state.rules.one_decides {
        return Err(AgreementError::OneDecides { block });
    }
    let own = hotkey.map(|hotkey| find(state, hotkey)).transpose()?;
    let input = yuma(state);
    let before = run(&input, Bonds::Next);
    if before.rows.iter().zip(&before.active_stake).all(|(row, stake)| row.is_empty() || *stake <= 0.0) {
        return Err(AgreementError::NobodyWeighs { block, commit_reveal: state.rules.commit_reveal });
    }
    let network = as_computed(&computation, network);
    let weights = newest(state, &computation, &network, own)?;
    let placed = match own {
        Some(own) => of_uid(&with(&input, own.uid, &weights), own.uid),
        None => of_nobody(before.clone(), &weights),
    };
    let shown = own.map(|own| of_uid(&input, own.uid)).filter(|shown| !shown.row.is_empty());
    let book = Book::read(ledger, &computation, Some(network.burn_uid).filter(|_| network.burn > 0.0))?;
    Ok(Agreement {
        block: block.0,
        computed: computation.block.0,
        subnet: subnet(state, network.netuid),
        ours: own.map(|own| ours(state, own, &placed)),
        validators: validators(state, own, shown.as_ref(), &placed),
        miners: miners(state, shown.as_ref(), &placed, &book),
        shown: shown.map(|shown| shown.agrees),
        newest: placed.agrees,
        alpha_per_day: alpha_per_day(state),
    })
}

/// What neurons are given a day, at the rate of the last epoch.
fn alpha_per_day(state: &EpochState) -> BTreeMap<String, f64> {
    /// 10^-9 alpha.
    const UNIT: f64 = 1e-9;
    let epochs = DAY_BLOCKS as f64 / f64::from(state.rules.tempo.max(1));
    let given =
        |neuron: &NeuronState| neuron.given.map(|given| given.emission).filter(|emission| *emission > 0);
    let of_day = |neuron: &NeuronState| Some((neuron.hotkey.clone(), given(neuron)? as f64 * UNIT * epochs));
    state.neurons.iter().filter_map(of_day).collect()
}

fn find<'a>(state: &'a EpochState, hotkey: &str) -> Result<&'a NeuronState, AgreementError> {
    let block = state.block;
    let Some(own) = state.neurons.iter().find(|neuron| neuron.hotkey == hotkey) else {
        return Err(AgreementError::NotRegistered { hotkey: hotkey.into(), block });
    };
    if !own.permit && state.rules.owner != Some(own.uid) {
        return Err(AgreementError::NoPermit { hotkey: hotkey.into(), uid: own.uid, block });
    }
    Ok(own)
}

/// The settings of the subnet, with the burn that a computation was made with.
fn as_computed(computation: &Computation, network: &Network) -> Network {
    let mut network = network.clone();
    if let Some(basis) = &computation.basis {
        (network.burn, network.burn_uid) = (basis.rules.burn, basis.rules.burn_uid);
    }
    network
}

/// The weights that a validator would set now.
fn newest(
    state: &EpochState,
    computation: &Computation,
    network: &Network,
    own: Option<&NeuronState>,
) -> Result<Vec<(u16, u16)>, AgreementError> {
    let known = |neuron: &NeuronState| {
        computation.settlements.iter().any(|step| step.hotkey == neuron.hotkey && step.weight > 0.0)
    };
    if !state.neurons.iter().any(known) {
        return Err(AgreementError::NobodyRegistered { computed: computation.block, block: state.block });
    }
    let neuron = |neuron: &NeuronState| Neuron {
        uid: neuron.uid,
        hotkey: neuron.hotkey.clone(),
        validator_permit: neuron.permit,
        last_update: neuron.last_update,
        ..Neuron::default()
    };
    let neurons: Vec<Neuron> = state.neurons.iter().map(neuron).collect();
    let own = own.map(|own| own.uid);
    let limits = WeightLimits { own, fewest: state.rules.min_weights, largest: state.rules.max_weight };
    Ok(registered_weights(computation, &neurons, network, &limits)?.weights)
}

/// As if a validator's weights had just been set, and were shown.
fn with(input: &YumaInput, uid: u16, weights: &[(u16, u16)]) -> YumaInput {
    let mut input = input.clone();
    let block = input.block;
    if let Some(own) = input.neurons.get_mut(usize::from(uid)) {
        // One that registered in this very block can be given a weight in the next one.
        (own.weights, own.last_update, own.committed) = (weights.to_vec(), block + 1, None);
    }
    input
}

fn subnet(state: &EpochState, netuid: u16) -> Subnet {
    let rules = &state.rules;
    Subnet {
        netuid,
        kappa: part(rules.kappa),
        yuma3: rules.yuma3,
        tempo: rules.tempo,
        last_epoch: rules.last_epoch.map(|block| block.0),
        reveal_period: rules.commit_reveal.then_some(rules.reveal_period),
    }
}

fn ours(state: &EpochState, own: &NeuronState, placed: &Placed) -> Ours {
    Ours {
        uid: own.uid,
        hotkey: own.hotkey.clone(),
        stake: at(&placed.outcome.active_stake, own.uid),
        age: age(state, own.last_update),
        committed: own.committed.map(|block| age(state, block)),
        validator_trust: own.given.map(|given| part(given.validator_trust)),
        dividends: own.given.map(|given| part(given.dividends)),
    }
}

fn validators(
    state: &EpochState,
    own: Option<&NeuronState>,
    shown: Option<&Placed>,
    placed: &Placed,
) -> Vec<OtherValidator> {
    let outcome = &placed.outcome;
    let others = state.neurons.iter().filter(|neuron| {
        let sets = neuron.permit || state.rules.owner == Some(neuron.uid);
        sets && neuron.stake > 0 && own.is_none_or(|own| own.uid != neuron.uid)
    });
    let validator = |neuron: &NeuronState| {
        let row = outcome.rows.get(usize::from(neuron.uid));
        OtherValidator {
            uid: neuron.uid,
            hotkey: neuron.hotkey.clone(),
            stake: at(&outcome.active_stake, neuron.uid),
            age: age(state, neuron.last_update),
            committed: neuron.committed.map(|block| age(state, block)),
            validator_trust: at(&outcome.validator_trust, neuron.uid),
            distance_shown: row.zip(shown).and_then(|(row, shown)| distance(&shown.row, row)),
            distance_newest: row.and_then(|row| distance(&placed.row, row)),
        }
    };
    let mut all: Vec<OtherValidator> = others.map(validator).collect();
    all.sort_by(|a, b| b.stake.total_cmp(&a.stake));
    all
}

fn miners(
    state: &EpochState,
    shown: Option<&Placed>,
    placed: &Placed,
    book: &Book<'_>,
) -> Vec<MinerDifference> {
    let weight = |placed: &Placed, uid: u16| placed.row.get(&uid).copied().unwrap_or(0.0);
    let difference = |neuron: &NeuronState| MinerDifference {
        uid: neuron.uid,
        hotkey: neuron.hotkey.clone(),
        newest: weight(placed, neuron.uid),
        shown: shown.map(|shown| weight(shown, neuron.uid)),
        consensus: at(&placed.outcome.consensus, neuron.uid),
        reasons: book.of(neuron.uid, &neuron.hotkey),
    };
    let all = state.neurons.iter().map(difference);
    let mut all: Vec<MinerDifference> = all.filter(|miner| miner.difference().abs() > SAME).collect();
    all.sort_by(|a, b| b.difference().abs().total_cmp(&a.difference().abs()));
    all
}

fn age(state: &EpochState, block: Block) -> i64 {
    (state.block - block).max(0)
}

fn at(list: &[f64], uid: u16) -> f64 {
    list.get(usize::from(uid)).copied().unwrap_or(0.0)
}

/// A part of a whole, as the chain has it.
fn part(x: u16) -> f64 {
    f64::from(x) / f64::from(u16::MAX)
}
