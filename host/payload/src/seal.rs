//! Sealing a payload: the miner's side.

use super::keys::{binding, seal_box, wrap_key};
use super::{SealError, Suite, timelock};
use crate::beacon::Scheme;
use rand_core::CryptoRng;
use serde_json::{Map, Value, json};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// How to seal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealOptions {
    /// The suite; the network's by default.
    pub suite: Suite,
    /// Size of the time-lock ciphertext, in the network's suite.
    pub size: timelock::Size,
}

/// Seals `plaintext` as a version 2 payload of `hotkey` for a round of `beacon` and the owner of `owner_key`; the
/// entry `hotkey` is added to it. The same `rng` state gives the same bytes.
///
/// # Errors
/// [`SealError`].
pub fn seal(
    plaintext: &Map<String, Value>,
    hotkey: &str,
    round: u64,
    owner_key: &[u8; 32],
    beacon: &Scheme,
    options: SealOptions,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    if round == 0 {
        return Err(SealError::Round);
    }
    let text = with_hotkey(plaintext, hotkey)?;
    let mut random = || {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        bytes
    };
    let (ske, key) = (StaticSecret::from(*random()), random());
    let mut nonces = [[0; 12]; 2];
    nonces.iter_mut().for_each(|nonce| rng.fill_bytes(nonce));
    let [content_nonce, wrap_nonce] = nonces;

    let pke = PublicKey::from(&ske).to_bytes();
    let binding = binding(hotkey, round, owner_key, &pke);
    let wrap_key = wrap_key(&ske, owner_key, "owner key").map_err(|_| SealError::OwnerKey)?;
    let failed = SealError::Cipher("ChaCha20-Poly1305 failed");
    let content = seal_box(&key, &content_nonce, text.as_bytes(), &binding).ok_or(failed.clone())?;
    let wrap = seal_box(&wrap_key, &wrap_nonce, key.as_ref(), &binding).ok_or(failed)?;
    let mut secrets = Zeroizing::new([0; timelock::TEXT]);
    let digits = Zeroizing::new(hex::encode(ske.as_bytes()) + &Zeroizing::new(hex::encode(key.as_ref())));
    secrets.copy_from_slice(digits.as_bytes());
    let time = options.suite.lock(&secrets, round, beacon, options.size, rng)?;

    let payload = json!({
        "v": 2,
        "round": round,
        "hk": hotkey,
        "owner_pk": hex::encode(owner_key),
        "C": { "nonce": hex::encode(content_nonce), "ct": hex::encode(content) },
        "W_owner": { "pke": hex::encode(pke), "nonce": hex::encode(wrap_nonce), "ct": hex::encode(wrap) },
        "W_time": { "ct": hex::encode(time) },
        "binding": hex::encode(binding),
        "alg": options.suite.label(),
    });
    Ok(payload.to_string().into_bytes())
}

fn with_hotkey(plaintext: &Map<String, Value>, hotkey: &str) -> Result<String, SealError> {
    let mut plaintext = plaintext.clone();
    match plaintext.insert("hotkey".into(), hotkey.into()) {
        Some(found) if found != hotkey => {
            Err(SealError::Hotkey { found: super::describe::shown(&found), hotkey: hotkey.into() })
        }
        _ => Ok(Value::Object(plaintext).to_string()),
    }
}
