//! A chain of one machine: for the demo, replays, and dry runs.

use super::offline_state::{State, WeightsSet};
use super::{BLOCK_SECONDS, Chain, ChainError, EpochState, Head, Hyperparameters, Neuron, Receipt};
use async_trait::async_trait;
use mantis_config::Block;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes that a commitment may have, as on the chain.
const LONGEST_COMMITMENT: usize = 128;

/// What the newest block is, whenever asked.
pub type Clock = Arc<dyn Fn() -> Head + Send + Sync>;

/// A [`Chain`] in memory or in a JSON file, with the rules of the real one that a validator can run into.
///
/// With a file, the file is the chain: several processes may use it at once, and each change is written as a whole.
pub struct OfflineChain {
    /// Who signs; without one, nothing can be written.
    hotkey: Option<String>,
    clock: Option<Clock>,
    place: Place,
}

enum Place {
    Memory(Mutex<State>),
    File(PathBuf),
}

impl OfflineChain {
    /// A chain in memory with these neurons. Its block follows the time until one is set.
    #[must_use]
    pub fn new(neurons: Vec<Neuron>) -> Self {
        let state = State { neurons, ..State::default() };
        Self { hotkey: None, clock: None, place: Place::Memory(Mutex::new(state)) }
    }

    /// The chain in a file, which is made, without neurons, where it does not exist.
    ///
    /// # Errors
    /// If the file cannot be read or written, or is no such chain.
    pub fn open(path: &Path) -> Result<Self, ChainError> {
        let chain = Self { hotkey: None, clock: None, place: Place::File(path.into()) };
        if path.exists() {
            chain.read("opening it", |_| ())?;
        } else {
            chain.write("making it", |_| Ok(()))?;
        }
        Ok(chain)
    }

    /// Signs as this hotkey.
    #[must_use]
    pub fn signing_as(mut self, hotkey: &str) -> Self {
        self.hotkey = Some(hotkey.to_owned());
        self
    }

    /// Takes the newest block from a clock instead of [`OfflineChain::set_head`].
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Moves to a block.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_head(&self, head: Head) -> Result<(), ChainError> {
        self.write("setting the block", |state| {
            state.head = Some(head);
            Ok(())
        })
    }

    /// Replaces the neurons.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_neurons(&self, mut neurons: Vec<Neuron>) -> Result<(), ChainError> {
        neurons.sort_by_key(|neuron| neuron.uid);
        self.write("setting the neurons", |state| {
            state.neurons = neurons;
            Ok(())
        })
    }

    /// Sets how many blocks must lie between two settings of weights; 100 where it was never set.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_rate_limit(&self, blocks: u64) -> Result<(), ChainError> {
        self.write("setting the rate limit", |state| {
            state.weights_rate_limit = blocks;
            Ok(())
        })
    }

    /// Sets who owns the subnet.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_owner(&self, hotkey: &str) -> Result<(), ChainError> {
        self.write("setting the owner", |state| {
            state.owner = Some(hotkey.into());
            Ok(())
        })
    }

    /// Sets the stake of some hotkeys, 10^-9 TAO. A neuron with a permit whose stake was never set has 1 TAO.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_stakes(&self, stakes: BTreeMap<String, u64>) -> Result<(), ChainError> {
        self.write("setting stakes", |state| {
            state.stakes.extend(stakes);
            Ok(())
        })
    }

    /// Commits a text for any registered hotkey.
    ///
    /// # Errors
    /// As [`Chain::commit`].
    pub fn commit_as(&self, hotkey: &str, text: &str) -> Result<(), ChainError> {
        let refused = |name, cure: String| refused("the commitment", name, cure);
        self.write("committing", |state| {
            if !state.neurons.iter().any(|neuron| neuron.hotkey == hotkey) {
                return Err(refused("AccountNotAllowedCommit", format!("register {hotkey} in the subnet")));
            }
            if text.len() > LONGEST_COMMITMENT {
                let cure = format!("commit at most {LONGEST_COMMITMENT} bytes instead of {}", text.len());
                return Err(refused("TooManyFieldsInCommitmentInfo", cure));
            }
            state.commitments.insert(hotkey.into(), text.into());
            Ok(())
        })
    }

    /// Every setting of weights so far, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn weights(&self) -> Result<Vec<WeightsSet>, ChainError> {
        self.read("reading the weights", |state| state.weights.clone())
    }

    fn signer(&self, doing: &'static str) -> Result<&str, ChainError> {
        let cure = || "choose the hotkey that signs".to_owned();
        self.hotkey.as_deref().ok_or_else(|| refused(doing, "NoSigner", cure()))
    }

    fn now(&self, state: &State) -> Head {
        match (&self.clock, state.head) {
            (Some(clock), _) => clock(),
            (None, Some(head)) => head,
            // The block is not set: it is that of a chain as old as the Unix epoch.
            (None, None) => {
                let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
                Head { block: Block((unix / BLOCK_SECONDS).cast_signed()), unix }
            }
        }
    }

    fn read<T>(&self, doing: &'static str, f: impl FnOnce(&State) -> T) -> Result<T, ChainError> {
        match &self.place {
            Place::Memory(state) => Ok(f(&state.lock().unwrap_or_else(PoisonError::into_inner))),
            // Files are replaced as a whole: no lock is needed to read one.
            Place::File(path) => Ok(f(&State::load(path, doing)?)),
        }
    }

    /// Changes the state; what is refused changes nothing.
    fn write<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce(&mut State) -> Result<T, ChainError>,
    ) -> Result<T, ChainError> {
        match &self.place {
            Place::Memory(state) => f(&mut state.lock().unwrap_or_else(PoisonError::into_inner)),
            Place::File(path) => {
                // Held until the new file is in its place.
                let _lock = lock(path, doing)?;
                let mut state = if path.exists() { State::load(path, doing)? } else { State::default() };
                let result = f(&mut state)?;
                state.save(path, doing)?;
                Ok(result)
            }
        }
    }
}

#[async_trait]
impl Chain for OfflineChain {
    fn has_own_time(&self) -> bool {
        true
    }

    async fn head(&self) -> Result<Head, ChainError> {
        self.read("reading the block", |state| self.now(state))
    }

    async fn metagraph(&self) -> Result<Vec<Neuron>, ChainError> {
        self.read("reading the metagraph", |state| state.neurons.clone())
    }

    async fn commitments(&self, _at: Option<Block>) -> Result<BTreeMap<String, String>, ChainError> {
        self.read("reading the commitments", |state| state.commitments.clone())
    }

    async fn hyperparameters(&self) -> Result<Hyperparameters, ChainError> {
        self.read("reading the settings", |state| Hyperparameters {
            version_key: 0,
            weights_rate_limit: state.weights_rate_limit,
            commit_reveal: false,
            commit_reveal_version: None,
            reveal_period: 1,
            tempo: 360,
            min_stake: 0,
            min_weights: state.min_weights,
            max_weight: state.max_weight,
            one_decides: state.one_decides,
        })
    }

    async fn weights_of(&self, uid: u16) -> Result<Vec<(u16, u16)>, ChainError> {
        self.read("reading weights", |state| {
            let neuron = state.neurons.iter().find(|neuron| neuron.uid == uid);
            neuron.map(|neuron| state.weights_of(&neuron.hotkey)).unwrap_or_default()
        })
    }

    async fn owner(&self) -> Result<Option<String>, ChainError> {
        self.read("reading the owner", |state| state.owner.clone())
    }

    async fn epoch_state(&self) -> Result<EpochState, ChainError> {
        self.read("reading what epochs go by", |state| state.epoch_state(self.now(state).block))
    }

    async fn commit(&self, text: &str) -> Result<(), ChainError> {
        self.commit_as(self.signer("the commitment")?, text)
    }

    async fn set_weights(&self, weights: &[(u16, u16)]) -> Result<Receipt, ChainError> {
        let signer = self.signer("the weights")?;
        self.write("setting weights", |state| {
            let head = self.now(state);
            check_weights(state, signer, head, weights)?;
            if let Some(own) = state.neurons.iter_mut().find(|neuron| neuron.hotkey == signer) {
                own.last_update = head.block;
            }
            let set = WeightsSet {
                block: head.block,
                hotkey: signer.into(),
                weights: weights.iter().copied().collect(),
            };
            let transaction = transaction(&set);
            state.weights.push(set);
            Ok(Receipt { transaction, block: head.block, revealed: true })
        })
    }
}

/// The chain's rules for weights, under its own names.
fn check_weights(state: &State, signer: &str, head: Head, weights: &[(u16, u16)]) -> Result<(), ChainError> {
    let refused = |name, cure: String| Err(refused("the weights", name, cure));
    let Some(own) = state.neurons.iter().find(|neuron| neuron.hotkey == signer) else {
        return refused("HotKeyNotRegisteredInSubNet", format!("register {signer} in the subnet"));
    };
    if !own.validator_permit {
        return refused("NeuronNoValidatorPermit", "stake more on the hotkey until it has a permit".into());
    }
    let mut uids = BTreeSet::new();
    if let Some((uid, _)) = weights.iter().find(|(uid, _)| !uids.insert(*uid)) {
        return refused("DuplicateUids", format!("name UID {uid} once"));
    }
    if let Some((uid, _)) = weights.iter().find(|(uid, _)| !state.neurons.iter().any(|n| n.uid == *uid)) {
        return refused("UidVecContainInvalidOne", format!("read the metagraph again: it has no UID {uid}"));
    }
    if !matches!(weights, [(uid, _)] if *uid == own.uid) {
        if weights.len() < usize::from(state.min_weights) {
            return refused("WeightVecLengthIsLow", format!("set {} weights or more", state.min_weights));
        }
        let sum: u64 = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let largest = weights.iter().map(|(_, weight)| u64::from(*weight)).max().unwrap_or(0);
        if largest * u64::from(u16::MAX) > sum * u64::from(state.max_weight) {
            return refused("MaxWeightExceeded", "spread the weights: the subnet limits the largest".into());
        }
    }
    let last = state.weights.iter().rev().find(|set| set.hotkey == signer);
    let limit = i64::try_from(state.weights_rate_limit).unwrap_or(i64::MAX);
    let next = last.map_or(Block(0), |last| last.block + limit);
    if head.block < next {
        return refused(
            "SettingWeightsTooFast",
            format!("try again at block {next}; this is {}", head.block),
        );
    }
    Ok(())
}

/// A stand-in for a transaction's hash: that of what was set, and when.
fn transaction(set: &WeightsSet) -> String {
    let mut hash = Sha256::new_with_prefix(set.hotkey.as_bytes());
    hash.update(set.block.0.to_le_bytes());
    for (uid, weight) in &set.weights {
        hash.update(uid.to_le_bytes());
        hash.update(weight.to_le_bytes());
    }
    hash.finalize().iter().fold("0x".into(), |text: String, byte| text + &format!("{byte:02x}"))
}

fn refused(doing: &'static str, name: &str, cure: String) -> ChainError {
    ChainError::Refused { doing, name: name.into(), cure }
}

/// A file beside the chain's, locked as long as it is open: the chain's own is replaced by each change.
fn lock(path: &Path, doing: &'static str) -> Result<File, ChainError> {
    let beside = path.with_added_extension("lock");
    let open = || {
        let file = File::options().create(true).truncate(false).write(true).open(&beside)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|error: std::io::Error| ChainError::Unreachable {
        endpoint: beside.display().to_string(),
        doing,
        reason: error.to_string(),
    })
}
