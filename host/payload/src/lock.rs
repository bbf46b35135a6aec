//! The time-lock of each suite.

use super::{PayloadRejection, SealError, Suite, drand, timelock};
use crate::beacon::Scheme;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

impl Suite {
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
