//! How a miner seals: in the network's format.

use super::Seal;
use mantis_config::Config;
use mantis_payload::beacon::{KeyError, Scheme};
use mantis_payload::{SealOptions, seal};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Seals for an owner and a beacon, with the system's randomness.
pub struct Sealer {
    scheme: Scheme,
    owner_key: [u8; 32],
}

impl Sealer {
    /// Seals for the configured owner and beacon.
    ///
    /// # Errors
    /// If the beacon's key is not valid.
    pub fn new(config: &Config) -> Result<Self, KeyError> {
        Ok(Self { scheme: Scheme::from_config(&config.beacon)?, owner_key: config.network.owner_key })
    }

    /// The first round that comes out at `unix` or later.
    fn round_from(&self, unix: u64) -> u64 {
        let out = self.scheme.round_at(unix);
        if out > 0 && self.scheme.published_at(out) == unix { out } else { out + 1 }
    }
}

impl Seal for Sealer {
    fn seal(&self, plaintext: &Map<String, Value>, hotkey: &str, opens: u64) -> Result<Vec<u8>, String> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|error| format!("the system gives no randomness: {error}"))?;
        let mut rng = ChaCha20Rng::from_seed(*seed);
        let (round, options) = (self.round_from(opens), SealOptions::default());
        seal(plaintext, hotkey, round, &self.owner_key, &self.scheme, options, &mut rng)
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&Config::load("../../challenges.toml").unwrap()).unwrap()
    }

    #[test]
    fn nothing_opens_before_it_should() {
        let sealer = sealer();
        let genesis = 1_692_803_367;
        for (unix, round) in [(0, 1), (genesis, 1), (genesis + 1, 2), (genesis + 3, 2), (genesis + 4, 3)] {
            assert_eq!(sealer.round_from(unix), round, "{unix}");
            assert!(sealer.scheme.published_at(round) >= unix);
        }
    }

    #[test]
    fn each_payload_is_sealed_anew() {
        let plaintext = serde_json::from_str(r#"{"ETH": [0.1, 0.2]}"#).unwrap();
        let sealed = || sealer().seal(&plaintext, "5Grw", 1_800_000_000).unwrap();
        let (first, second) = (sealed(), sealed());
        assert_ne!(first, second);
        let payload: Value = serde_json::from_slice(&first).unwrap();
        assert_eq!((&payload["v"], &payload["hk"]), (&Value::from(2), &Value::from("5Grw")));
        assert_eq!(payload["round"], sealer().round_from(1_800_000_000));
    }
}
