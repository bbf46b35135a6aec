//! The network's time-lock: identity-based encryption (Boneh-Franklin, FullIdent) to a round of the beacon, whose
//! signature is the key, on BLS12-381; AES-256-GCM inside.
//!
//! The format is that of the `timelock` crate 0.3.0. It is written here again on `blst`, because that crate takes
//! lengths from the ciphertext on trust and ends the process on a crafted one.

mod bytes;
mod curve;
mod generator;
mod ibe;
mod layout;

pub use bytes::{open_bytes, seal_bytes};
pub use layout::{Layout, OVERHEAD, SIZES, Size};

use super::PayloadRejection;
use crate::beacon::Scheme;
use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes that are locked: 128 hexadecimal digits.
pub const TEXT: usize = 128;

/// Opens a ciphertext of [`SIZES`] with the beacon's signature of `round`.
///
/// # Errors
/// A [`PayloadRejection`] about the layout, the point, the proof (another round, damage) or the cipher.
pub fn open(
    ciphertext: &[u8],
    round: u64,
    signature: &[u8; 48],
) -> Result<Zeroizing<Vec<u8>>, PayloadRejection> {
    let layout = Layout::parse(ciphertext)?;
    let key = ibe::open((layout.u, layout.v, layout.w), round, signature)?;
    let cipher = Aes256Gcm::new((&*key).into());
    let text = cipher.decrypt(layout.nonce.into(), layout.body.as_slice());
    text.map(Zeroizing::new).map_err(|_| PayloadRejection::TimelockCipher)
}

/// Locks [`TEXT`] bytes until `round` of the beacon is out.
///
/// `None` only if the cipher fails, which it cannot for so short a text.
pub fn seal(
    text: &[u8; TEXT],
    round: u64,
    beacon: &Scheme,
    size: Size,
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let mut key = Zeroizing::new([0; 32]);
    rng.fill_bytes(key.as_mut());
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut nonce);
    let header = ibe::seal(&key, round, beacon, rng);
    let cipher = Aes256Gcm::new((&*key).into());
    let body = cipher.encrypt((&nonce).into(), text.as_slice()).ok()?;
    Some(layout::write(size, &header, &nonce, &body))
}

/// Checks a compressed point of G2, as [`open`] does.
pub(super) fn check_g2(bytes: &[u8; 96]) -> Result<(), &'static str> {
    curve::g2(bytes).map(|_| ())
}

/// Checks a compressed point of G1.
pub(super) fn check_g1(bytes: &[u8; 48]) -> Result<(), &'static str> {
    curve::g1(bytes).map(|_| ())
}
