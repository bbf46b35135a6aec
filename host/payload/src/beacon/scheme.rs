//! What is fixed about a beacon: its key, and when its rounds come out.

use blst::min_sig::{PublicKey, Signature};
use blst::{BLST_ERROR, Pairing, blst_p1_affine, blst_p2_affine};
use mantis_config as config;
use sha2::{Digest, Sha256};
use std::fmt;
use thiserror::Error;

/// Domain of the hash of a round to the curve: quicknet's.
pub(crate) const DST: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/// A beacon: a checked key, and the times of its rounds. Keys lie in G2, signatures in G1.
#[derive(Clone, PartialEq, Eq)]
pub struct Scheme {
    point: PublicKey,
    genesis: u64,
    period: u64,
}

/// The configured public key is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "`public_key` in [beacon] is not the key of a beacon: no point of the group G2 of BLS12-381; copy it again"
)]
pub struct KeyError;

impl Scheme {
    /// A beacon with this key; round 1 comes out at `genesis` (Unix seconds), the others every `period` seconds.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(public_key: &[u8; 96], genesis: u64, period: u64) -> Result<Self, KeyError> {
        let point = PublicKey::uncompress(public_key).map_err(|_| KeyError)?;
        point.validate().map_err(|_| KeyError)?;
        Ok(Self { point, genesis, period: period.max(1) })
    }

    /// The configured beacon.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_config(beacon: &config::Beacon) -> Result<Self, KeyError> {
        Self::new(&beacon.public_key, beacon.genesis, beacon.period)
    }

    /// The newest round that is out at a time, Unix seconds; 0 before the first.
    #[must_use]
    pub fn round_at(&self, unix: u64) -> u64 {
        match unix.checked_sub(self.genesis) {
            Some(since) => (since / self.period).saturating_add(1),
            None => 0,
        }
    }

    /// When a round comes out, Unix seconds.
    #[must_use]
    pub fn published_at(&self, round: u64) -> u64 {
        self.genesis.saturating_add(self.period.saturating_mul(round.saturating_sub(1)))
    }

    /// Whether `signature` is the beacon's of `round`: one pairing check, with the point checked for its group.
    #[must_use]
    pub fn verify(&self, round: u64, signature: &[u8; 48]) -> bool {
        let Ok(signature) = Signature::uncompress(signature) else { return false };
        if signature.validate(true).is_err() {
            return false;
        }
        let (key, signature): (&blst_p2_affine, &blst_p1_affine) =
            ((&self.point).into(), (&signature).into());
        let mut check = Pairing::new(true, DST);
        // Key and signature were validated above.
        let added = check.aggregate(key, false, signature, false, &Self::message(round), &[]);
        check.commit();
        added == BLST_ERROR::BLST_SUCCESS && check.finalverify(None)
    }

    /// The public key, compressed.
    #[must_use]
    pub fn public_key(&self) -> [u8; 96] {
        self.point.compress()
    }

    /// What the beacon signs for a round: SHA-256 of its number, big endian.
    pub(crate) fn message(round: u64) -> [u8; 32] {
        Sha256::digest(round.to_be_bytes()).into()
    }

    /// The public key as a point.
    pub(crate) fn point(&self) -> &PublicKey {
        &self.point
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = hex::encode(self.public_key());
        f.debug_struct("Scheme")
            .field("public_key", &key)
            .field("genesis", &self.genesis)
            .field("period", &self.period)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signatures of quicknet.
    const KNOWN: [(u64, &str); 3] = [
        (
            123,
            "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92",
        ),
        (
            1000,
            "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
        ),
        (
            657_413,
            "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
        ),
    ];

    fn bytes(digits: &str) -> [u8; 48] {
        let mut bytes = [0; 48];
        hex::decode_to_slice(digits, &mut bytes).unwrap();
        bytes
    }

    fn quicknet() -> Scheme {
        Scheme::from_config(&config::Beacon::default()).unwrap()
    }

    #[test]
    fn known_signatures_verify_for_their_round_only() {
        for (round, digits) in KNOWN {
            assert!(quicknet().verify(round, &bytes(digits)), "{round}");
            assert!(!quicknet().verify(round + 1, &bytes(digits)), "{round}");
        }
    }

    #[test]
    fn what_is_no_signature_does_not_verify() {
        let good = bytes(KNOWN[0].1);
        let mut neutral = [0; 48];
        neutral[0] = 0xc0;
        assert!(!quicknet().verify(123, &neutral));
        assert!(!quicknet().verify(123, &[0; 48]));
        assert!(!quicknet().verify(123, &[0xff; 48]));
        for at in 0..48 {
            let mut changed = good;
            changed[at] ^= 1;
            assert!(!quicknet().verify(123, &changed), "byte {at}");
        }
        // On the curve, outside the group: the first x coordinates that have a point at all.
        let outside = (0..50).filter_map(|x| {
            let mut point = [0; 48];
            (point[0], point[47]) = (0x80, x);
            let on_curve = Signature::uncompress(&point).ok()?;
            (!on_curve.subgroup_check()).then_some(point)
        });
        let outside: Vec<_> = outside.collect();
        assert!(outside.len() > 5);
        assert!(outside.iter().all(|point| !quicknet().verify(123, point)));
    }

    #[test]
    fn rounds_and_times_fit_each_other() {
        let quicknet = quicknet();
        assert_eq!(quicknet.round_at(1_692_803_366), 0);
        assert_eq!(quicknet.round_at(1_692_803_367), 1);
        assert_eq!(quicknet.round_at(1_692_803_369), 1);
        assert_eq!(quicknet.round_at(1_692_803_370), 2);
        for round in [1, 2, 1000, 20_000_000] {
            let at = quicknet.published_at(round);
            assert_eq!((quicknet.round_at(at), quicknet.round_at(at - 1)), (round, round - 1));
        }
        assert_eq!(quicknet.published_at(u64::MAX), u64::MAX);
    }

    #[test]
    fn bad_keys_are_refused() {
        assert_eq!(Scheme::new(&[0; 96], 0, 3), Err(KeyError));
        let mut neutral = [0; 96];
        neutral[0] = 0xc0;
        assert_eq!(Scheme::new(&neutral, 0, 3), Err(KeyError));
    }
}
