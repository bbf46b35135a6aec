//! Locking bytes of any number, as the chain locks weights.

use super::layout::{self, Size};
use super::{ibe, layout::Parts};
use crate::PayloadRejection;
use crate::beacon::Scheme;
use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Locks bytes until `round` of the beacon is out; the long layout, with [`OVERHEAD`](layout::OVERHEAD) bytes more.
///
/// `None` only if the cipher fails, which it does beyond 2^36 bytes.
pub fn seal_bytes(text: &[u8], round: u64, beacon: &Scheme, rng: &mut impl CryptoRng) -> Option<Vec<u8>> {
    let mut key = Zeroizing::new([0; 32]);
    rng.fill_bytes(key.as_mut());
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut nonce);
    let header = ibe::seal(&key, round, beacon, rng);
    let body = Aes256Gcm::new((&*key).into()).encrypt((&nonce).into(), text).ok()?;
    Some(layout::write(Size::Long, &header, &nonce, &body))
}

/// Opens what [`seal_bytes`] gives with the beacon's signature of `round`.
///
/// # Errors
/// A [`PayloadRejection`] about the layout, the point, the proof (another round, damage) or the cipher.
pub fn open_bytes(
    ciphertext: &[u8],
    round: u64,
    signature: &[u8; 48],
) -> Result<Zeroizing<Vec<u8>>, PayloadRejection> {
    let Parts { u, v, w, body, nonce } = Parts::parse(ciphertext)?;
    let key = ibe::open((u, v, w), round, signature)?;
    let text = Aes256Gcm::new((&*key).into()).decrypt(nonce.into(), body);
    text.map(Zeroizing::new).map_err(|_| PayloadRejection::TimelockCipher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::signing::BeaconKey;
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn opens_with_the_rounds_signature_only(text in proptest::collection::vec(any::<u8>(), 0..600)) {
            let key = BeaconKey::from_seed(&[3; 32]).unwrap();
            let beacon = Scheme::new(&key.public_key(), 0, 3).unwrap();
            let sealed = seal_bytes(&text, 9, &beacon, &mut ChaCha20Rng::from_seed([1; 32])).unwrap();
            prop_assert_eq!(sealed.len(), text.len() + layout::OVERHEAD);
            prop_assert_eq!(&*open_bytes(&sealed, 9, &key.sign(9)).unwrap(), &text);
            prop_assert!(open_bytes(&sealed, 9, &key.sign(10)).is_err());
        }

        #[test]
        fn no_bytes_end_the_process(mut text in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..300) {
            let key = BeaconKey::from_seed(&[3; 32]).unwrap();
            prop_assert!(open_bytes(&text, 9, &key.sign(9)).is_err());
            let beacon = Scheme::new(&key.public_key(), 0, 3).unwrap();
            text = seal_bytes(&text, 9, &beacon, &mut ChaCha20Rng::from_seed([1; 32])).unwrap();
            text.truncate(text.len().saturating_sub(cut + 1));
            prop_assert!(open_bytes(&text, 9, &key.sign(9)).is_err());
        }
    }

    /// Made with `bittensor_drand.encrypt_at_round(b"hello world", 1000)` of PyPI's bittensor-drand 2.0.0, without the
    /// length and the round's number that it puts around it; opened with quicknet's signature of round 1000.
    #[test]
    fn opens_what_the_networks_client_seals() {
        let sealed = include_str!("../../tests/fixtures/timelock-hello.hex").trim();
        let mut bytes = vec![0; sealed.len() / 2];
        hex::decode_to_slice(sealed, &mut bytes).unwrap();
        let mut signature = [0; 48];
        let digits = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";
        hex::decode_to_slice(digits, &mut signature).unwrap();
        assert_eq!(&*open_bytes(&bytes, 1000, &signature).unwrap(), b"hello world");
    }
}
