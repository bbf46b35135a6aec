//! A hotkey that can sign.

use super::error::WalletError;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use subxt::config::SubstrateConfig;
use subxt::transactions::Signer;
use subxt::utils::{AccountId32, MultiSignature};
use subxt_signer::sr25519::Keypair;
use subxt_signer::{SecretUri, bip39};

/// A hotkey that can sign: sr25519. Its secret half is wiped from memory with its last copy, and never shown.
#[derive(Clone)]
pub struct Hotkey {
    /// One copy in memory, however many there are of this.
    pair: Arc<Pair>,
    address: String,
}

/// Both wipe themselves from memory.
enum Pair {
    /// Derived from a phrase, seed or URI.
    Derived(Keypair),
    /// Of a private key alone, from which nothing can be derived.
    Bare(schnorrkel::Keypair),
}

/// Whether a text is a hotkey's address: SS58 with prefix 42 and a checksum that is right.
///
/// # Errors
/// [`WalletError::Address`].
pub fn check_address(text: &str) -> Result<(), WalletError> {
    if AccountId32::from_str(text).is_ok_and(|account| account.to_string() == text) {
        Ok(())
    } else {
        Err(WalletError::Address { text: text.into() })
    }
}

/// The public key of a hotkey's address.
///
/// # Errors
/// As [`check_address`].
pub fn public_key(address: &str) -> Result<[u8; 32], WalletError> {
    check_address(address)?;
    let account =
        AccountId32::from_str(address).map_err(|_| WalletError::Address { text: address.into() })?;
    Ok(account.0)
}

/// What the chain puts before every message that is signed.
const CONTEXT: &[u8] = b"substrate";

impl Hotkey {
    /// The key of a URI: `//Alice` is a development key, whose secret everyone knows; a phrase or `0x` and 64
    /// hexadecimal digits may stand before the path.
    ///
    /// # Errors
    /// [`WalletError::Uri`]; the message does not repeat the URI.
    pub fn from_uri(uri: &str) -> Result<Self, WalletError> {
        let pair = SecretUri::from_str(uri).ok().and_then(|uri| Keypair::from_uri(&uri).ok());
        pair.map(Self::new).ok_or(WalletError::Uri)
    }

    /// The key of a phrase of 12 to 24 words; `None` if it is not one.
    pub(super) fn from_phrase(phrase: &str) -> Option<Self> {
        let phrase = bip39::Mnemonic::from_str(phrase).ok()?;
        Keypair::from_phrase(&phrase, None).ok().map(Self::new)
    }

    /// The key of a seed; `None` if it is not one.
    pub(super) fn from_seed(seed: [u8; 32]) -> Option<Self> {
        Keypair::from_secret_key(seed).ok().map(Self::new)
    }

    /// The key of a private key, as schnorrkel writes it; `None` if it is not one.
    pub(super) fn from_private_key(bytes: &[u8; 64]) -> Option<Self> {
        let secret = schnorrkel::SecretKey::from_bytes(bytes).ok()?;
        Some(Self::from_pair(Pair::Bare(secret.to_keypair())))
    }

    fn new(pair: Keypair) -> Self {
        Self::from_pair(Pair::Derived(pair))
    }

    fn from_pair(pair: Pair) -> Self {
        let address = AccountId32(pair.public_key()).to_string();
        Self { pair: Arc::new(pair), address }
    }

    /// The address: SS58 with prefix 42.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Signs a message in the chain's context, as every wallet does. What it is for should stand in it.
    #[must_use]
    pub fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message)
    }

    /// The public key.
    #[must_use]
    pub fn account(&self) -> AccountId32 {
        AccountId32(self.pair.public_key())
    }
}

impl Pair {
    fn public_key(&self) -> [u8; 32] {
        match self {
            Self::Derived(pair) => pair.public_key().0,
            Self::Bare(pair) => pair.public.to_bytes(),
        }
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        match self {
            Self::Derived(pair) => pair.sign(message).0,
            Self::Bare(pair) => pair.sign_simple(CONTEXT, message).to_bytes(),
        }
    }
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hotkey({}, secret redacted)", self.address)
    }
}

impl Signer<SubstrateConfig> for Hotkey {
    fn account_id(&self) -> AccountId32 {
        self.account()
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.pair.sign(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: &str = "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09\
                           925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011";

    #[test]
    fn development_keys_have_their_known_addresses_and_sign() {
        let mut private = [0; 64];
        hex::decode_to_slice(PRIVATE, &mut private).unwrap();
        let keys = [Hotkey::from_uri("//Alice").unwrap(), Hotkey::from_private_key(&private).unwrap()];
        for alice in keys {
            assert_eq!(alice.address(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
            let signature = Signer::sign(&alice, b"text");
            let MultiSignature::Sr25519(signature) = signature else { panic!("{signature:?}") };
            let signature = subxt_signer::sr25519::Signature(signature);
            let public = subxt_signer::sr25519::PublicKey(alice.pair.public_key());
            assert!(subxt_signer::sr25519::verify(&signature, b"text", &public));
            assert!(!subxt_signer::sr25519::verify(&signature, b"other", &public));
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let seed = format!("0x{}", "5a".repeat(32));
        let shown = format!("{:?}", Hotkey::from_uri(&seed).unwrap());
        assert!(shown.contains("redacted") && !shown.contains("5a5a"), "{shown}");
        let wrong = "some words that are no phrase at all";
        let error = Hotkey::from_uri(wrong).unwrap_err().to_string();
        assert!(!error.contains("words that"), "{error}");
    }
}
