//! The ways to seal: `alg`.

use super::{Refusal, SealError, timelock};
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
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 1] = [Self::Network];

    /// Its `alg`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Network => "x25519-hkdf-sha256+chacha20poly1305+drand-tlock",
        }
    }

    /// The suite of an `alg`; `None` if it is not known.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.label() == label)
    }

    /// Refuses a time-lock ciphertext of the wrong number of bytes.
    pub(super) fn check_length(self, bytes: usize) -> Result<(), Refusal> {
        let (fits, expected) = match self {
            Self::Network => (timelock::SIZES.contains(&bytes), "744 or 712"),
        };
        if fits { Ok(()) } else { Err(Refusal::Length { field: "W_time.ct", found: 2 * bytes, expected }) }
    }

    /// Opens the time-lock: the hexadecimal digits of the ephemeral secret and the content's key.
    pub(super) fn unlock(
        self,
        ciphertext: &[u8],
        round: u64,
        signature: &[u8; 48],
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        match self {
            Self::Network => timelock::open(ciphertext, round, signature),
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
        }
    }
}
