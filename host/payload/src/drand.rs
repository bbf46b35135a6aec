//! drand's own time-lock, by the crate `tlock`: the second suite.
//!
//! It locks 16 bytes, from which the key for the rest is derived. 284 bytes: U (compressed G2 point, 96), V (16),
//! W (16), a nonce (12), and 128 hexadecimal digits under ChaCha20-Poly1305 with their tag (144).

use super::keys::{open_box, seal_box};
use super::{PayloadRejection, SealError, timelock};
use crate::beacon::Scheme;
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use zeroize::Zeroizing;

/// Bytes of a ciphertext.
pub(super) const SIZE: usize = 284;

/// Opens a ciphertext of [`SIZE`] bytes with the beacon's signature of `round`.
pub(super) fn open(
    ciphertext: &[u8],
    round: u64,
    signature: &[u8; 48],
) -> Result<Zeroizing<Vec<u8>>, PayloadRejection> {
    let length =
        || PayloadRejection::Length { field: "W_time.ct", found: 2 * ciphertext.len(), expected: "568" };
    let (locked, rest) = ciphertext.split_first_chunk::<128>().ok_or_else(length)?;
    let (nonce, body) = rest.split_first_chunk::<12>().ok_or_else(length)?;
    // The library asserts what it should check: points are checked before it sees them, and its last assertion (that
    // U comes from what was locked) is caught.
    let (point, _) = locked.split_first_chunk::<96>().ok_or_else(length)?;
    timelock::check_g2(point).map_err(|found| PayloadRejection::TimelockPoint { found })?;
    timelock::check_g1(signature).map_err(|_| PayloadRejection::BeaconSignature)?;
    let mut opened = Zeroizing::new(Vec::with_capacity(32));
    let done = catch_panic(|| tlock::decrypt(&mut *opened, &locked[..], signature).is_ok());
    if done != Some(true) || opened.len() > 16 {
        return Err(PayloadRejection::TimelockProof { round });
    }
    // The library strips zeros from the end.
    let mut key = Zeroizing::new([0; 16]);
    key.iter_mut().zip(opened.iter()).for_each(|(byte, &found)| *byte = found);
    let text = derived(&key).and_then(|key| open_box(&key, nonce, body, locked));
    text.map(Zeroizing::new).ok_or(PayloadRejection::TimelockCipher)
}

/// Locks the digits until a round. The library takes randomness of its own beside `rng`: the same `rng` does not give
/// the same bytes.
pub(super) fn seal(
    text: &[u8; timelock::TEXT],
    round: u64,
    beacon: &Scheme,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let failed = SealError::Cipher("the library `tlock` failed");
    let (mut key, mut nonce) = (Zeroizing::new([0; 16]), [0; 12]);
    rng.fill_bytes(key.as_mut());
    rng.fill_bytes(&mut nonce);
    let mut out = Vec::with_capacity(SIZE);
    let done = catch_panic(|| tlock::encrypt(&mut out, &key[..], &beacon.public_key(), round).is_ok());
    if done != Some(true) || out.len() != 128 {
        return Err(failed);
    }
    let body = derived(&key).and_then(|key| seal_box(&key, &nonce, text, &out)).ok_or(failed)?;
    out.extend(nonce);
    out.extend(body);
    Ok(out)
}

fn derived(key: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key).expand(b"mantis-drand-tlock", out.as_mut()).ok()?;
    Some(out)
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls the library; `None` where it panics, which is no news for standard error.
fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    outcome.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::signing::BeaconKey;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn damage_anywhere_is_refused_without_a_panic() {
        let key = BeaconKey::from_seed(&[1; 32]).unwrap();
        let scheme = Scheme::new(&key.public_key(), 0, 3).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let text = [b'a'; timelock::TEXT];
        let sealed = seal(&text, 5, &scheme, &mut rng).unwrap();
        assert_eq!(sealed.len(), SIZE);
        assert_eq!(*open(&sealed, 5, &key.sign(5)).unwrap(), text);
        assert_eq!(open(&sealed, 5, &key.sign(6)).unwrap_err().code(), "timelock_proof");
        for (at, code) in [
            (95, "timelock_"),
            (96, "timelock_proof"),
            (127, "timelock_proof"),
            (128, "timelock_cipher"),
            (283, "timelock_cipher"),
        ] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let refusal = open(&changed, 5, &key.sign(5)).unwrap_err();
            assert!(refusal.code().starts_with(code), "{at}: {refusal}");
        }
        assert_eq!(open(&sealed[..100], 5, &key.sign(5)).unwrap_err().code(), "length");
        assert_eq!(open(&[0; SIZE], 5, &key.sign(5)).unwrap_err().code(), "timelock_point");
    }

    #[test]
    fn keys_that_end_with_zeros_survive() {
        let key = BeaconKey::from_seed(&[1; 32]).unwrap();
        let scheme = Scheme::new(&key.public_key(), 0, 3).unwrap();
        let text = [b'b'; timelock::TEXT];
        // One key in 256 ends with a zero.
        let mut zeros = 0;
        for seed in 0..100_000 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let mut first = [0; 16];
            rand_core::Rng::fill_bytes(&mut rng, &mut first);
            if first[15] != 0 {
                continue;
            }
            let sealed = seal(&text, 5, &scheme, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
            assert_eq!(*open(&sealed, 5, &key.sign(5)).unwrap(), text);
            zeros += 1;
            if zeros == 3 {
                return;
            }
        }
        panic!("no such key");
    }
}
