//! Signatures of releases, of the list of them, and of the list of a published ledger's parts.
//!
//! A signature is detached: 128 hexadecimal digits in a file beside the signed one. It is sr25519, as every wallet of the chain makes
//! it (in the context `substrate`), of what the text is for, a colon, and its bytes: so that no signature of anything else can
//! stand for one of a release.

use schnorrkel::{PublicKey, Signature};

/// The context in which the chain's keys sign.
const CONTEXT: &[u8] = b"substrate";

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// A `release.toml`.
    Release,
    /// An `index.toml`.
    Index,
    /// A `ledger.toml`.
    Ledger,
}

impl Signed {
    /// The message that is signed for these bytes.
    #[must_use]
    pub fn message(self, bytes: &[u8]) -> Vec<u8> {
        let context: &[u8] = match self {
            Self::Release => b"mantis-release:",
            Self::Index => b"mantis-release-index:",
            Self::Ledger => b"mantis-ledger:",
        };
        [context, bytes].concat()
    }

    /// Whether `signature`, the content of a signature's file, is one of these bytes by this key.
    #[must_use]
    pub fn is_by(self, key: &[u8; 32], bytes: &[u8], signature: &[u8]) -> bool {
        // Anybody can sign for the key of all zeros, which a chain gives where nobody is.
        if *key == [0; 32] {
            return false;
        }
        let digits = std::str::from_utf8(signature).ok().map(str::trim);
        let signature = digits.and_then(|digits| hex::decode(digits).ok());
        let signature = signature.and_then(|bytes| Signature::from_bytes(&bytes).ok());
        let Some((signature, key)) = signature.zip(PublicKey::from_bytes(key).ok()) else { return false };
        key.verify_simple(CONTEXT, &self.message(bytes), &signature).is_ok()
    }
}

/// The content of a signature's file.
#[must_use]
pub fn to_file(signature: &[u8; 64]) -> String {
    format!("{}\n", hex::encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey};

    fn key(seed: u8) -> Keypair {
        MiniSecretKey::from_bytes(&[seed; 32]).unwrap().expand_to_keypair(ExpansionMode::Ed25519)
    }

    #[test]
    fn a_signature_holds_for_its_bytes_its_use_and_its_signer_alone() {
        let (owner, other) = (key(1), key(2));
        let sign = |message: &[u8]| to_file(&owner.sign_simple(CONTEXT, message).to_bytes());
        let signature = sign(&Signed::Release.message(b"text"));
        let public = owner.public.to_bytes();
        assert!(Signed::Release.is_by(&public, b"text", signature.as_bytes()));
        assert!(!Signed::Release.is_by(&public, b"Text", signature.as_bytes()));
        assert!(!Signed::Index.is_by(&public, b"text", signature.as_bytes()));
        assert!(!Signed::Ledger.is_by(&public, b"text", signature.as_bytes()));
        assert!(!Signed::Release.is_by(&other.public.to_bytes(), b"text", signature.as_bytes()));
        // Without what it is for: a signature of the same bytes that was made for something else.
        assert!(!Signed::Release.is_by(&public, b"text", sign(b"text").as_bytes()));
        for bad in ["", "00", &"0".repeat(128), &"f".repeat(128), "x"] {
            assert!(!Signed::Release.is_by(&public, b"text", bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn nobody_signs_for_the_key_of_nobody() {
        // R = 0, s = 0 verifies under the neutral element, whose encoding is all zeros.
        let mut forged = [0; 64];
        forged[63] = 128;
        let neutral = PublicKey::from_bytes(&[0; 32]).unwrap();
        let signature = Signature::from_bytes(&forged).unwrap();
        assert!(neutral.verify_simple(CONTEXT, b"anything", &signature).is_ok(), "the danger is real");
        assert!(!Signed::Release.is_by(&[0; 32], b"text", to_file(&forged).as_bytes()));
    }
}
