//! What settling weights goes by.

use mantis_config::Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How weights are settled; the default is the network's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettleRules {
    /// Share that is burned, 0 to 1.
    pub burn: f64,
    /// The UID that the burn goes to.
    pub burn_uid: u16,
    /// Share of the new weights in the smoothed ones, above 0 to 1.
    pub ema: f64,
    /// Blocks after its first prediction for which a hotkey is young.
    pub young_blocks: i64,
    /// What a young hotkey is given, before scaling.
    pub young_weight: f64,
    /// Weights whose standard deviation is below this part of their mean are rejected.
    pub min_relative_std: f64,
    /// Hotkeys that are retired: what they would weigh goes to the burn UID.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub retired: BTreeSet<String>,
}

impl SettleRules {
    /// Whether a hotkey is retired. That of the burn UID never is: the burn has to go somewhere.
    #[must_use]
    pub fn is_retired(&self, uid: u16, hotkey: &str) -> bool {
        uid != self.burn_uid && self.retired.contains(hotkey)
    }
}

/// Weights whose standard deviation is below this part of their mean are rejected; it is not configured.
const MIN_RELATIVE_STD: f64 = 1e-3;

impl Default for SettleRules {
    fn default() -> Self {
        Self::from(&Network::default())
    }
}

impl From<&Network> for SettleRules {
    fn from(network: &Network) -> Self {
        Self {
            burn: network.burn,
            burn_uid: network.burn_uid,
            ema: network.ema,
            young_blocks: i64::from(network.young_blocks),
            young_weight: network.young_weight,
            min_relative_std: MIN_RELATIVE_STD,
            retired: network.retired.iter().cloned().collect(),
        }
    }
}
