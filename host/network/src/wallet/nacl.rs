//! Bittensor's encrypted key files: `$NACL`, a nonce of 24 bytes, and a secretbox (XSalsa20-Poly1305) whose key is the
//! Argon2i hash of the password.

use argon2::{Algorithm, Argon2, Params, Version};
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use zeroize::Zeroizing;

/// What such a file begins with.
pub(super) const MARK: &[u8] = b"$NACL";
/// Bittensor's salt: the same for everyone.
const SALT: [u8; 16] = *b"\x13q\x83\xdf\xf1Z\t\xbc\x9c\x90\xb5Q\x879\xe9\xb1";
/// libsodium's "sensitive": 512 MiB, eight rounds.
const KIBIBYTES: u32 = 512 * 1024;
const ROUNDS: u32 = 8;
const NONCE: usize = 24;

/// Why such a file cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nacl {
    /// It is cut off.
    Short,
    /// There is not enough memory.
    Memory,
    /// The password is wrong, or the file damaged.
    Password,
}

/// Opens a file with its password. Takes 512 MiB of memory and about two seconds: that is its point.
pub(super) fn open(file: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Nacl> {
    let sealed = file.strip_prefix(MARK).ok_or(Nacl::Short)?;
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(Nacl::Short)?;
    let key = key(password).ok_or(Nacl::Memory)?;
    let cipher = XSalsa20Poly1305::new((&*key).into());
    let opened = cipher.decrypt(&Nonce::from(*nonce), sealed);
    opened.map(Zeroizing::new).map_err(|_| Nacl::Password)
}

/// `None` only where there is no memory for it.
fn key(password: &str) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(KIBIBYTES, ROUNDS, 1, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let argon = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
    argon.hash_password_into(password.as_bytes(), &SALT, key.as_mut()).ok()?;
    Some(key)
}
