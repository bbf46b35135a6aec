//! The key that answers and days are signed with: Ed25519 (RFC 8032), in a file that its owner alone can read.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Name of the key's file in the folder of a store.
pub const KEY_FILE: &str = "signing.key";

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: String,
}

/// Why there is no key to sign with.
#[derive(Debug, Error)]
pub enum SigningError {
    /// The file cannot be read or made.
    #[error("{path}: {source}; the signing key is kept there")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("{path}: others can read the signing key; take the right from them: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error(
        "{path}: not 64 hexadecimal digits, so no signing key; restore it from a backup: with a new one, buyers \
         refuse what is signed"
    )]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a signing key")]
    Random,
}

impl SigningKey {
    /// The key in a file, which is made with a new one if there is none.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub fn load_or_make(path: &Path) -> Result<Self, SigningError> {
        match Self::load(path) {
            Err(SigningError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| SigningError::Random)?;
        let file = |source| SigningError::File { path: path.into(), source };
        // Whole or not at all: it is linked to its name when it is written. Who is first there has made it.
        let part = path.with_extension(format!("part-{}", std::process::id()));
        let _ = fs::remove_file(&part);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let mut made = made.map_err(file)?;
        writeln!(made, "{}", hex::encode(seed)).and_then(|()| made.sync_all()).map_err(file)?;
        let linked = fs::hard_link(&part, path);
        let _ = fs::remove_file(&part);
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(file(error)),
            _ => Self::load(path),
        }
    }

    /// The key in a file.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub fn load(path: &Path) -> Result<Self, SigningError> {
        let file = |source| SigningError::File { path: path.into(), source };
        let about = fs::metadata(path).map_err(file)?;
        if about.mode() & 0o077 != 0 {
            return Err(SigningError::Open { path: path.into() });
        }
        let broken = || SigningError::Broken { path: path.into() };
        if !about.is_file() || about.len() > 128 {
            return Err(broken());
        }
        let text = fs::read_to_string(path).map_err(file)?;
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| broken())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| broken())?;
        let public = hex::encode(pair.public_key().as_ref());
        Ok(Self { pair, public })
    }

    /// The public key, 32 bytes as hexadecimal digits.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Signs a message: 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

/// Whether a signature of a message is that of a public key; both as hexadecimal digits.
#[must_use]
pub fn is_signed(public: &str, message: &[u8], signature: &str) -> bool {
    let (Ok(public), Ok(signature)) = (hex::decode(public), hex::decode(signature)) else { return false };
    UnparsedPublicKey::new(&ED25519, public).verify(message, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_nobody_else_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        let key = SigningKey::load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let again = SigningKey::load_or_make(&path).unwrap();
        assert_eq!(key.public(), again.public());
        let signature = hex::encode(key.sign(b"so"));
        assert!(is_signed(key.public(), b"so", &signature));
        assert!(!is_signed(key.public(), b"so.", &signature));
        assert!(!is_signed("zz", b"so", &signature) && !is_signed(key.public(), b"so", "00"));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::load_or_make(&path), Err(SigningError::Open { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "00").unwrap();
        assert!(matches!(SigningKey::load_or_make(&path), Err(SigningError::Broken { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "00", "a broken key is left as it is");
    }

    #[test]
    fn a_signature_is_that_of_rfc_8032() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        // Section 7.1, test 2.
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        write!(file, "{seed}").unwrap();
        let key = SigningKey::load(&path).unwrap();
        assert_eq!(key.public(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(hex::encode(key.sign(&[0x72])), expected);
    }
}
