//! What a plugin gave for a challenge.

use mantis_plugin_api::{Description, Salience};
use serde::{Deserialize, Serialize};

/// What a plugin gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Given {
    pub(super) hotkeys: Vec<String>,
    pub(super) salience: Salience,
    pub(super) description: Description,
    pub(super) sha256: String,
}

impl Given {
    /// Whether it is what a worker gives: as many saliences as hotkeys, finite and not negative.
    pub(super) fn is_whole(&self) -> bool {
        let is_sound = |x: f64| x.is_finite() && x >= 0.0;
        self.hotkeys.len() == self.salience.miners.len()
            && is_sound(self.salience.burn)
            && self.salience.miners.iter().all(|miner| is_sound(miner.salience))
    }
}
