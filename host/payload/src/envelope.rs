//! The outside of a payload: everything that can be checked before a curve is touched.

use super::describe::{kind, shortened, shown};
use super::field::{bytes, field, many_bytes, object, text, wrong_type};
use super::json::{self, JsonError, JsonLimits};
use super::keys::binding;
use super::{PayloadRejection, Suite, timelock};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes by which a ciphertext is longer than its plaintext.
const TAG: usize = 16;

/// What a payload must fulfil beside its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeRules {
    /// X25519 public key of the subnet's owner.
    pub owner_key: [u8; 32],
    /// The newest round that can be out when the payload is opened; a later one is refused.
    pub newest_round: u64,
    /// Bounds of the payload's JSON.
    pub limits: JsonLimits,
    /// Bounds of the plaintext's JSON.
    pub plaintext: JsonLimits,
}

impl EnvelopeRules {
    /// Rules for payloads whose plaintext has at most so many bytes.
    #[must_use]
    pub const fn new(owner_key: [u8; 32], newest_round: u64, plaintext_bytes: usize) -> Self {
        let limits = JsonLimits::of_payload(plaintext_bytes);
        Self { owner_key, newest_round, limits, plaintext: JsonLimits::of_plaintext(plaintext_bytes) }
    }
}

/// A payload whose outside is in order; not yet opened.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub(super) round: u64,
    pub(super) hotkey: String,
    pub(super) sha256: [u8; 32],
    pub(super) suite: Suite,
    pub(super) owner_key: [u8; 32],
    pub(super) content: Sealed,
    pub(super) pke: [u8; 32],
    pub(super) wrap_nonce: [u8; 12],
    pub(super) wrap: [u8; 48],
    pub(super) timelock: Vec<u8>,
    pub(super) binding: [u8; 32],
    pub(super) limits: JsonLimits,
}

/// The sealed content: `C`.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) nonce: [u8; 12],
    /// With the tag at its end.
    pub(super) ciphertext: Vec<u8>,
}

impl Envelope {
    /// Reads a payload that was collected for the hotkey `collected_for`.
    ///
    /// Fields that are not known are ignored, and hexadecimal may be of either case, as in the network. Anything
    /// after the JSON but white space is refused: no client of the network writes it, and what cannot be named
    /// cannot be checked.
    ///
    /// # Errors
    /// The first [`PayloadRejection`], in the order: JSON, version, round, hotkey, lengths and digits, bytes of the
    /// plaintext, suite, owner key, binding, newest round, layout of the time-lock.
    pub fn parse(
        payload: &[u8],
        collected_for: &str,
        rules: &EnvelopeRules,
    ) -> Result<Self, PayloadRejection> {
        let value = json::parse(payload, &rules.limits).map_err(PayloadRejection::Json)?;
        let top = value.as_object().ok_or_else(|| PayloadRejection::NotAnObject { found: kind(&value) })?;
        version(top)?;
        let round = round(top)?;
        let hotkey = text(top, "hk", "hk")?;
        if hotkey != collected_for {
            let (found, expected) = (shortened(hotkey), collected_for.to_owned());
            return Err(PayloadRejection::WrongHotkey { found, expected });
        }

        let (content, owner, time) = (object(top, "C")?, object(top, "W_owner")?, object(top, "W_time")?);
        let content = Sealed {
            nonce: bytes(content, "nonce", "C.nonce", "24")?,
            ciphertext: many_bytes(content, "ct", "C.ct", TAG, "an even number, 32 or more")?,
        };
        let (length, limit) = (content.ciphertext.len().saturating_sub(TAG), rules.plaintext.bytes);
        if length > limit {
            return Err(PayloadRejection::Plaintext(JsonError::TooLarge { bytes: length, limit }));
        }
        let pke = bytes(owner, "pke", "W_owner.pke", "64")?;
        let wrap_nonce = bytes(owner, "nonce", "W_owner.nonce", "24")?;
        let wrap = bytes(owner, "ct", "W_owner.ct", "96")?;
        let bound: [u8; 32] = bytes(top, "binding", "binding", "64")?;
        let timelock = many_bytes(time, "ct", "W_time.ct", 0, "an even number")?;
        let label = text(top, "alg", "alg")?;
        let suite =
            Suite::of_label(label).ok_or_else(|| PayloadRejection::Alg { found: shortened(label) })?;
        suite.check_length(timelock.len())?;

        let owner_key = rules.owner_key;
        if top.contains_key("owner_pk") {
            let found: [u8; 32] = bytes(top, "owner_pk", "owner_pk", "64")?;
            if found != owner_key {
                return Err(PayloadRejection::OwnerKey {
                    found: hex::encode(found),
                    expected: hex::encode(owner_key),
                });
            }
        }
        if !bool::from(binding(hotkey, round, &owner_key, &pke).ct_eq(&bound)) {
            return Err(PayloadRejection::Binding { owner_key: hex::encode(owner_key) });
        }
        if round > rules.newest_round {
            return Err(PayloadRejection::RoundTooLate { round, newest: rules.newest_round });
        }
        if suite == Suite::Network {
            timelock::Layout::parse(&timelock)?;
        }
        Ok(Self {
            round,
            hotkey: hotkey.to_owned(),
            sha256: Sha256::digest(payload).into(),
            suite,
            owner_key,
            content,
            pke,
            wrap_nonce,
            wrap,
            timelock,
            binding: bound,
            limits: rules.plaintext,
        })
    }

    /// The beacon round whose signature opens it.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// The hotkey that sealed it.
    #[must_use]
    pub fn hotkey(&self) -> &str {
        &self.hotkey
    }

    /// SHA-256 of the payload's bytes as they were served.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// How it is sealed: `alg`.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Bytes of the plaintext.
    #[must_use]
    pub fn plaintext_len(&self) -> usize {
        self.content.ciphertext.len().saturating_sub(TAG)
    }

    /// Bytes of the time-lock ciphertext.
    #[must_use]
    pub fn timelock_len(&self) -> usize {
        self.timelock.len()
    }
}

fn version(top: &Map<String, Value>) -> Result<(), PayloadRejection> {
    let value = field(top, "v", "v")?;
    match value.as_u64() {
        Some(2) => Ok(()),
        _ => Err(PayloadRejection::Version { found: shown(value) }),
    }
}

fn round(top: &Map<String, Value>) -> Result<u64, PayloadRejection> {
    match field(top, "round", "round")? {
        value @ Value::Number(number) => match number.as_u64() {
            Some(round @ 1..) => Ok(round),
            _ => Err(PayloadRejection::Round { found: shown(value) }),
        },
        value => Err(wrong_type("round", "a whole number", value)),
    }
}
