//! A beacon of one's own, for tests and for a network on one machine.

use super::scheme::{DST, Scheme};
use blst::BLST_ERROR;
use blst::min_sig::SecretKey;
use std::fmt;
use zeroize::Zeroizing;

/// The secret key of a beacon. Its holder can open everything at once: never use one for real payloads.
pub struct BeaconKey(SecretKey);

impl BeaconKey {
    /// The key of a seed; the same for the same seed.
    ///
    /// # Errors
    /// Never for 32 bytes; the type is blst's.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, BLST_ERROR> {
        let seed = Zeroizing::new(*seed);
        SecretKey::key_gen(seed.as_ref(), b"mantis-beacon").map(Self)
    }

    /// Its public key, compressed.
    #[must_use]
    pub fn public_key(&self) -> [u8; 96] {
        self.0.sk_to_pk().compress()
    }

    /// Its signature of a round.
    #[must_use]
    pub fn sign(&self, round: u64) -> [u8; 48] {
        self.0.sign(&Scheme::message(round), DST, &[]).compress()
    }
}

impl fmt::Debug for BeaconKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeaconKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_verify_with_their_own_key_only() {
        let [a, b] = [1, 2].map(|seed| BeaconKey::from_seed(&[seed; 32]).unwrap());
        let scheme = Scheme::new(&a.public_key(), 0, 3).unwrap();
        assert!(scheme.verify(7, &a.sign(7)));
        assert!(!scheme.verify(7, &a.sign(8)));
        assert!(!scheme.verify(7, &b.sign(7)));
        assert_eq!(a.sign(7), BeaconKey::from_seed(&[1; 32]).unwrap().sign(7));
        assert_eq!(format!("{a:?}"), "BeaconKey(redacted)");
    }
}
