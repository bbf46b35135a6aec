//! What an offline chain consists of, and its file.

use super::{ChainError, EpochRules, EpochState, Head, Neuron, NeuronState};
use mantis_config::Block;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// Weights that a hotkey has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsSet {
    /// The block in which they were set.
    pub block: Block,
    /// Who set them.
    pub hotkey: String,
    /// Weights by UID.
    pub weights: BTreeMap<u16, u16>,
}

/// The state: the file is its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct State {
    /// `None`: it is not set, it follows the time.
    pub(super) head: Option<Head>,
    /// Blocks between two settings of weights.
    pub(super) weights_rate_limit: u64,
    /// The fewest UIDs to which weights must be given.
    pub(super) min_weights: u16,
    /// The largest part of all weights that one UID may be given, in 65,535ths.
    pub(super) max_weight: u16,
    /// Whether one validator alone decides.
    pub(super) one_decides: bool,
    /// Who owns the subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    pub(super) neurons: Vec<Neuron>,
    /// Text by hotkey.
    pub(super) commitments: BTreeMap<String, String>,
    /// Oldest first.
    pub(super) weights: Vec<WeightsSet>,
    /// Stake by hotkey; a validator that is not in it has as much as another.
    pub(super) stakes: BTreeMap<String, u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            head: None,
            weights_rate_limit: 100,
            min_weights: 0,
            max_weight: u16::MAX,
            one_decides: false,
            owner: None,
            neurons: Vec::new(),
            commitments: BTreeMap::new(),
            weights: Vec::new(),
            stakes: BTreeMap::new(),
        }
    }
}

/// What the subnet of an offline chain says of its epochs, which it does not run: the public chain's usual settings.
const RULES: EpochRules = EpochRules {
    kappa: 32_767,
    bonds_penalty: u16::MAX,
    bonds_moving_average: 900_000,
    yuma3: false,
    liquid_alpha: None,
    activity_cutoff: 5000,
    tempo: 360,
    last_epoch: None,
    commit_reveal: false,
    reveal_period: 1,
    one_decides: false,
    min_weights: 0,
    max_weight: u16::MAX,
    owner: None,
};
/// The stake of a validator where nobody says otherwise, 10^-9 TAO.
const STAKE: u64 = 1_000_000_000;

impl State {
    /// The weights that a hotkey set last; empty where it set none.
    pub(super) fn weights_of(&self, hotkey: &str) -> Vec<(u16, u16)> {
        let last = self.weights.iter().rev().find(|set| set.hotkey == hotkey);
        last.map(|set| set.weights.iter().map(|(uid, weight)| (*uid, *weight)).collect()).unwrap_or_default()
    }

    /// What an epoch would go by.
    pub(super) fn epoch_state(&self, block: Block) -> EpochState {
        let neuron = |neuron: &Neuron| NeuronState {
            uid: neuron.uid,
            hotkey: neuron.hotkey.clone(),
            stake: match self.stakes.get(&neuron.hotkey) {
                Some(stake) => *stake,
                None if neuron.validator_permit => STAKE,
                None => 0,
            },
            permit: neuron.validator_permit,
            last_update: neuron.last_update,
            // Before all weights that were set.
            registered: Block(-1),
            committed: None,
            weights: self.weights_of(&neuron.hotkey),
            bonds: Vec::new(),
            given: None,
        };
        let rules = EpochRules {
            min_weights: self.min_weights,
            max_weight: self.max_weight,
            one_decides: self.one_decides,
            ..RULES
        };
        EpochState { block, rules, neurons: self.neurons.iter().map(neuron).collect() }
    }

    /// Reads the file.
    pub(super) fn load(path: &Path, doing: &'static str) -> Result<Self, ChainError> {
        let read = || Ok(serde_json::from_slice(&std::fs::read(path)?)?);
        read().map_err(|error: std::io::Error| unreachable(path, doing, &error))
    }

    /// Replaces the file as a whole: a reader sees the old one or the new one.
    pub(super) fn save(&self, path: &Path, doing: &'static str) -> Result<(), ChainError> {
        let write = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| unreachable(path, doing, &error))
    }
}

fn unreachable(path: &Path, doing: &'static str, error: &std::io::Error) -> ChainError {
    ChainError::Unreachable { endpoint: path.display().to_string(), doing, reason: error.to_string() }
}
