//! Opening a payload.

use super::describe::{kind, shown};
use super::json::{self, JsonLimits};
use super::keys::{OwnerSecret, open_box, wrap_key};
use super::{Envelope, PayloadRejection};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// What a miner sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plaintext {
    /// The object: challenges, and `hotkey`.
    pub object: Map<String, Value>,
    /// Numbers in it that JSON does not have (`NaN`, `Infinity`), or that no double holds (`1e400`), at most eight.
    /// The former are null in the object, the latter the largest double; no challenge takes either.
    pub unfit_numbers: Vec<String>,
}

impl Envelope {
    /// Opens with the beacon's signature of the payload's round, which must have been verified.
    ///
    /// # Errors
    /// The first [`PayloadRejection`]: the time-lock, the ephemeral key, the owner's part, the content, its JSON, its hotkey.
    pub fn open(&self, signature: &[u8; 48]) -> Result<Plaintext, PayloadRejection> {
        let secrets = self.suite.unlock(&self.timelock, self.round, signature)?;
        let (ske, key) = split_secrets(&secrets)?;
        if !bool::from(PublicKey::from(&ske).as_bytes().ct_eq(&self.pke)) {
            return Err(PayloadRejection::PkeMismatch);
        }
        let wrapped = self.unwrap(&*wrap_key(&ske, &self.owner_key, "owner key")?)?;
        if !bool::from(wrapped.ct_eq(&*key)) {
            return Err(PayloadRejection::KeyMismatch);
        }
        self.content(&key)
    }

    /// Opens with the owner's secret, at any time. The time-lock is not looked at.
    ///
    /// # Errors
    /// The first [`PayloadRejection`]; [`PayloadRejection::OwnerSecret`] where the secret is not that of the owner key in the rules.
    pub fn open_as_owner(&self, secret: &OwnerSecret) -> Result<Plaintext, PayloadRejection> {
        if !bool::from(secret.public_key().ct_eq(&self.owner_key)) {
            return Err(PayloadRejection::OwnerSecret { expected: hex::encode(self.owner_key) });
        }
        let key = self.unwrap(&*wrap_key(&secret.0, &self.pke, "W_owner.pke")?)?;
        self.content(&key)
    }

    /// The content's key, from the owner's part.
    fn unwrap(&self, wrap_key: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, PayloadRejection> {
        let opened = open_box(wrap_key, &self.wrap_nonce, &self.wrap, &self.binding);
        let opened = Zeroizing::new(opened.ok_or(PayloadRejection::OwnerWrap)?);
        let key = opened.as_slice().try_into().map_err(|_| PayloadRejection::OwnerWrap)?;
        Ok(Zeroizing::new(key))
    }

    fn content(&self, key: &[u8; 32]) -> Result<Plaintext, PayloadRejection> {
        let text = open_box(key, &self.content.nonce, &self.content.ciphertext, &self.binding);
        plaintext(&text.ok_or(PayloadRejection::Aead)?, &self.hotkey, &self.limits)
    }
}

/// Reads the sealed JSON.
fn plaintext(text: &[u8], hotkey: &str, limits: &JsonLimits) -> Result<Plaintext, PayloadRejection> {
    let (value, unfit_numbers) = json::parse_lenient(text, limits).map_err(PayloadRejection::Plaintext)?;
    let object = match value {
        Value::Object(object) => object,
        other => return Err(PayloadRejection::PlaintextNotAnObject { found: kind(&other) }),
    };
    match object.get("hotkey") {
        Some(Value::String(found)) if found == hotkey => Ok(Plaintext { object, unfit_numbers }),
        found => Err(PayloadRejection::PlaintextHotkey {
            found: found.map_or("missing".into(), shown),
            expected: hotkey.into(),
        }),
    }
}

/// Ephemeral secret and content key from the time-lock's 128 hexadecimal digits.
fn split_secrets(digits: &[u8]) -> Result<(StaticSecret, Zeroizing<[u8; 32]>), PayloadRejection> {
    let digits = std::str::from_utf8(digits).map_err(|_| PayloadRejection::TimelockContent)?;
    let mut both = Zeroizing::new([0; 64]);
    if digits.len() != 128 || hex::decode_to_slice(digits, both.as_mut()).is_err() {
        return Err(PayloadRejection::TimelockContent);
    }
    let (mut ske, mut key) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    ske.copy_from_slice(&both[..32]);
    key.copy_from_slice(&both[32..]);
    Ok((StaticSecret::from(*ske), key))
}
