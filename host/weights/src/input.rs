//! What weights are settled from.

use super::aggregate::BURN;
use mantis_config::Block;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Everything that the weights depend on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Aggregated salience per hotkey: finite, not negative, of any scale.
    pub salience: BTreeMap<String, f64>,
    /// What nobody earns, in the same unit: added to the salience of the UID that the burn goes to.
    #[serde(default)]
    pub burn: f64,
    /// The registered neurons.
    pub metagraph: Vec<Neuron>,
    /// Block of each hotkey's first prediction that is not all zero; a hotkey without one is not young.
    pub first_block: BTreeMap<String, Block>,
    /// The current block.
    pub block: Block,
    /// The smoothed weights of last time per hotkey; `None` the first time.
    #[serde(default)]
    pub previous: Option<BTreeMap<String, f64>>,
}

/// One entry of the metagraph.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Neuron {
    /// Its number on the subnet.
    pub uid: u16,
    /// Its hotkey (SS58).
    pub hotkey: String,
}

/// Why an [`Input`] makes no sense.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum InputError {
    /// A number that is negative or not finite.
    #[error("{field}[\"{hotkey}\"] is {value}; a finite number of at least 0 is needed")]
    Number {
        /// `salience`, `previous` or `burn`.
        field: &'static str,
        /// Whose number it is.
        hotkey: String,
        /// The number.
        value: f64,
    },
    /// A UID that is twice in the metagraph.
    #[error("metagraph: uid {0} is there twice")]
    TwoUids(u16),
    /// A hotkey that is twice in the metagraph.
    #[error("metagraph: hotkey {0} is there twice")]
    TwoHotkeys(String),
    /// The burn has nowhere to go.
    #[error("metagraph: uid {0}, which the burn goes to, is not there")]
    NoBurnUid(u16),
}

impl Input {
    /// Moves what stands under the name [`BURN`] among the saliences to where it belongs.
    pub fn take_burn(&mut self) {
        self.burn += self.salience.remove(BURN).unwrap_or(0.0);
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// [`InputError`] for the first thing that is wrong.
    pub fn check(&self, burn_uid: u16) -> Result<(), InputError> {
        let previous = self.previous.iter().flatten().map(|(hotkey, value)| ("previous", hotkey, *value));
        let salience = self.salience.iter().map(|(hotkey, value)| ("salience", hotkey, *value));
        let burn = BURN.to_owned();
        for (field, hotkey, value) in salience.chain(previous).chain([("burn", &burn, self.burn)]) {
            if !value.is_finite() || value < 0.0 {
                return Err(InputError::Number { field, hotkey: hotkey.clone(), value });
            }
        }
        let (mut uids, mut hotkeys) = (BTreeSet::new(), BTreeSet::new());
        for neuron in &self.metagraph {
            if !uids.insert(neuron.uid) {
                return Err(InputError::TwoUids(neuron.uid));
            }
            if !hotkeys.insert(&neuron.hotkey) {
                return Err(InputError::TwoHotkeys(neuron.hotkey.clone()));
            }
        }
        if uids.contains(&burn_uid) { Ok(()) } else { Err(InputError::NoBurnUid(burn_uid)) }
    }
}
