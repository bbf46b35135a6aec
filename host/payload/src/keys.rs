//! The keys of a payload and what is made of them: the binding, and the wrap for the owner.

use super::PayloadRejection;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use std::fmt;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// X25519 secret of the subnet's owner.
pub struct OwnerSecret(pub(super) StaticSecret);

impl OwnerSecret {
    /// A secret from its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// A secret from 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        if digits.len() != 64 {
            return None;
        }
        hex::decode_to_slice(digits, bytes.as_mut()).ok()?;
        Some(Self::new(*bytes))
    }

    /// The public key that payloads are sealed for.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        PublicKey::from(&self.0).to_bytes()
    }
}

impl fmt::Debug for OwnerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerSecret(redacted)")
    }
}

/// What ties the parts of a payload to each other: SHA-256 of hotkey, round, owner key and ephemeral key.
pub(super) fn binding(hotkey: &str, round: u64, owner_key: &[u8; 32], pke: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(hotkey.as_bytes());
    hash.update(b":");
    hash.update(round.to_string().as_bytes());
    hash.update(b":");
    hash.update(owner_key);
    hash.update(b":");
    hash.update(pke);
    hash.finalize().into()
}

/// The key that wraps the content's key for the owner.
///
/// # Errors
/// [`PayloadRejection::LowOrderPoint`] about `field` where `theirs` has small order.
pub(super) fn wrap_key(
    ours: &StaticSecret,
    theirs: &[u8; 32],
    field: &'static str,
) -> Result<Zeroizing<[u8; 32]>, PayloadRejection> {
    let shared = ours.diffie_hellman(&PublicKey::from(*theirs));
    if !shared.was_contributory() {
        return Err(PayloadRejection::LowOrderPoint { field });
    }
    // The network derives 44 bytes and uses 32: key and an unused nonce. HKDF's first 32 do not depend on the rest.
    let mut key = Zeroizing::new([0; 32]);
    let derived = Hkdf::<Sha256>::new(None, shared.as_bytes()).expand(b"mantis-owner-wrap", key.as_mut());
    match derived {
        Ok(()) => Ok(key),
        // Cannot be: 32 bytes are far below HKDF's bound.
        Err(_) => Err(PayloadRejection::OwnerWrap),
    }
}

/// Opens ChaCha20-Poly1305; `None` where key, binding or ciphertext do not fit each other.
pub(super) fn open_box(key: &[u8; 32], nonce: &[u8; 12], ciphertext: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher.decrypt(nonce.into(), Payload { msg: ciphertext, aad }).ok()
}

/// Seals with ChaCha20-Poly1305; `None` for texts beyond the cipher's bound of 256 GiB.
pub(super) fn seal_box(key: &[u8; 32], nonce: &[u8; 12], plaintext: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher.encrypt(nonce.into(), Payload { msg: plaintext, aad }).ok()
}
