//! The ways to seal: `alg`.

use super::{PayloadRejection, SealError, drand, timelock};
use crate::beacon::Scheme;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// A way to seal, named by a payload's `alg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suite {
    /// The network's own, which every client of it uses.
    #[default]
    Network,
    /// drand's own time-lock, by the crate `tlock`. No validator but this one opens it: for other networks.
    Drand,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 2] = [Self::Network, Self::Drand];

    /// Its `alg`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Network => "x25519-hkdf-sha256+chacha20poly1305+drand-tlock",
            Self::Drand => "x25519-hkdf-sha256+chacha20poly1305+drand-kyber-ibe",
        }
    }

    /// The suite of an `alg`; `None` if it is not known.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.label() == label)
    }

    /// Refuses a time-lock ciphertext of the wrong number of bytes.
    pub(super) fn check_length(self, bytes: usize) -> Result<(), PayloadRejection> {
        let (fits, expected) = match self {
            Self::Network => (timelock::SIZES.contains(&bytes), "744 or 712"),
            Self::Drand => (bytes == drand::SIZE, "568"),
        };
        if fits {
            Ok(())
        } else {
            Err(PayloadRejection::Length { field: "W_time.ct", found: 2 * bytes, expected })
        }
    }

    /// Opens the time-lock: the hexadecimal digits of the ephemeral secret and the content's key.
    pub(super) fn unlock(
        self,
        ciphertext: &[u8],
        round: u64,
        signature: &[u8; 48],
    ) -> Result<Zeroizing<Vec<u8>>, PayloadRejection> {
        match self {
            Self::Network => timelock::open(ciphertext, round, signature),
            Self::Drand => drand::open(ciphertext, round, signature),
        }
    }

    /// Locks those digits until a round of the beacon.
    pub(super) fn lock(
        self,
        secrets: &[u8; timelock::TEXT],
        round: u64,
        beacon: &Scheme,
        size: timelock::Size,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        match self {
            Self::Network => {
                timelock::seal(secrets, round, beacon, size, rng).ok_or(SealError::Cipher("AES-GCM failed"))
            }
            Self::Drand => drand::seal(secrets, round, beacon, rng),
        }
    }
}
