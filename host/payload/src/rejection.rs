//! Why a payload is refused, in words for the miner who sent it.

use super::json::JsonError;
use thiserror::Error;

/// Why a payload is refused. [`PayloadRejection::code`] is for programs and does not change; the message is for the miner.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadRejection {
    /// The payload is not JSON that is taken.
    #[error("payload: {0}")]
    Json(JsonError),
    /// The payload is JSON, but no object.
    #[error("payload: expected a JSON object, found {found}; send {{\"v\": 2, ...}}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A field is missing.
    #[error(
        "`{field}` is missing; a version 2 payload has v, round, hk, C, W_owner, W_time, binding and alg"
    )]
    Missing {
        /// The field, as in `W_owner.pke`.
        field: &'static str,
    },
    /// A field has another type.
    #[error("`{field}`: expected {expected}, found {found}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The type it should have.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Another version.
    #[error("`v` is {found}; only version 2 is taken: update the client that seals your payloads")]
    Version {
        /// The value, shortened.
        found: String,
    },
    /// The round is no round.
    #[error(
        "`round` is {found}; expected a whole number, 1 or more: the beacon round that opens the payload"
    )]
    Round {
        /// The value, shortened.
        found: String,
    },
    /// Somebody else's payload.
    #[error("`hk` is {found}, but the payload was collected for {expected}; seal with your own hotkey")]
    WrongHotkey {
        /// The hotkey in the payload, shortened.
        found: String,
        /// The hotkey it was collected for.
        expected: String,
    },
    /// Not hexadecimal.
    #[error(
        "`{field}`: character {at} is no hexadecimal digit; write two digits per byte, without 0x or spaces"
    )]
    Hex {
        /// The field.
        field: &'static str,
        /// Which character, from 1.
        at: usize,
    },
    /// The wrong number of bytes.
    #[error("`{field}`: {found} hexadecimal digits, expected {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// Digits found.
        found: usize,
        /// Digits allowed.
        expected: &'static str,
    },
    /// An unknown suite.
    #[error("`alg` is `{found}`, which is not known; the network's is `{}`", super::Suite::Network.label())]
    Alg {
        /// The value, shortened.
        found: String,
    },
    /// Sealed for another owner.
    #[error("`owner_pk` is {found}, but the subnet's owner key is {expected}; seal with the subnet's")]
    OwnerKey {
        /// The key in the payload.
        found: String,
        /// The configured one.
        expected: String,
    },
    /// The binding is not that of hotkey, round, owner key and ephemeral key.
    #[error(
        "`binding` does not fit hk, round, W_owner.pke and the subnet's owner key {owner_key}; it is the SHA-256 of \
         hk ':' round ':' owner key ':' pke"
    )]
    Binding {
        /// The configured owner key.
        owner_key: String,
    },
    /// The round comes out after the payload would be opened.
    #[error(
        "`round` {round} is not out when the payload is opened; the newest that can be is {newest}: seal for a nearer round"
    )]
    RoundTooLate {
        /// The round.
        round: u64,
        /// The newest round that is taken.
        newest: u64,
    },
    /// The time-lock ciphertext is not laid out as it must be.
    #[error("`W_time.ct`: at byte {at}, expected {expected}; seal with a client of the network")]
    TimelockLayout {
        /// Byte of the ciphertext, from 0.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The time-lock's curve point is not on the curve, or not of the right group.
    #[error("`W_time.ct`: its first 96 bytes are {found}; seal again with a client of the network")]
    TimelockPoint {
        /// What they are instead of a point.
        found: &'static str,
    },
    /// The signature does not open the time-lock.
    #[error(
        "`W_time.ct` does not open with the beacon's signature of round {round}: it was sealed for another round or \
         another beacon, or is damaged"
    )]
    TimelockProof {
        /// The payload's round.
        round: u64,
    },
    /// The time-lock opens, but what it holds is damaged.
    #[error("`W_time.ct`: its AES-GCM part is damaged; seal again")]
    TimelockCipher,
    /// The time-lock holds something else than two keys.
    #[error(
        "`W_time.ct` holds something else than 128 hexadecimal digits (the ephemeral secret and the key)"
    )]
    TimelockContent,
    /// The ephemeral secret is not that of the ephemeral public key.
    #[error("the secret in `W_time.ct` is not that of `W_owner.pke`; both must come from the same sealing")]
    PkeMismatch,
    /// A public key of small order: everybody would know the shared secret.
    #[error("`{field}` is a point of small order, with which no secret can be shared; use a random key")]
    LowOrderPoint {
        /// Which key.
        field: &'static str,
    },
    /// The owner's part does not open.
    #[error("`W_owner.ct` does not open: it was sealed with another key or binding, or is damaged")]
    OwnerWrap,
    /// Time-lock and owner's part hold different keys.
    #[error("`W_time.ct` and `W_owner.ct` hold different keys; both must come from the same sealing")]
    KeyMismatch,
    /// The content does not open.
    #[error("`C.ct` does not open: it was sealed with another key or binding, or is damaged")]
    Aead,
    /// The content is not JSON that is taken.
    #[error("plaintext: {0}")]
    Plaintext(JsonError),
    /// The content is JSON, but no object.
    #[error("plaintext: expected a JSON object of challenges, found {found}")]
    PlaintextNotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// The content names another hotkey, or none.
    #[error(
        "plaintext: `hotkey` is {found}, expected {expected}; the hotkey must stand inside the sealed part too"
    )]
    PlaintextHotkey {
        /// What is there.
        found: String,
        /// The payload's hotkey.
        expected: String,
    },
    /// The signature that was given is no point of the curve; no fault of the miner's.
    #[error("the beacon's signature is no point of the curve; fetch it again")]
    BeaconSignature,
    /// The secret that was given is not the configured owner's; no fault of the miner's.
    #[error("the owner's secret does not belong to the owner key {expected}; give both of the same owner")]
    OwnerSecret {
        /// The owner key in use.
        expected: String,
    },
}

impl PayloadRejection {
    /// A word for counting and for programs; it does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(JsonError::TooLarge { .. }) => "too_large",
            Self::Json(JsonError::Syntax { .. }) => "not_json",
            Self::Json(JsonError::NumberRange { .. }) => "number_range",
            Self::Json(JsonError::NotANumber { .. }) => "not_a_number",
            Self::Json(JsonError::TooDeep { .. }) => "too_deep",
            Self::Json(JsonError::TooManyValues { .. }) => "too_many_values",
            Self::Json(JsonError::TooMuchMemory { .. }) => "too_much_memory",
            Self::Json(JsonError::DuplicateKey { .. }) => "duplicate_key",
            Self::NotAnObject { .. } => "not_an_object",
            Self::Missing { .. } => "missing_field",
            Self::WrongType { .. } => "wrong_type",
            Self::Version { .. } => "version",
            Self::Round { .. } => "round",
            Self::WrongHotkey { .. } => "wrong_hotkey",
            Self::Hex { .. } => "hex",
            Self::Length { .. } => "length",
            Self::Alg { .. } => "alg",
            Self::OwnerKey { .. } => "owner_key",
            Self::Binding { .. } => "binding",
            Self::RoundTooLate { .. } => "round_too_late",
            Self::TimelockLayout { .. } => "timelock_layout",
            Self::TimelockPoint { .. } => "timelock_point",
            Self::TimelockProof { .. } => "timelock_proof",
            Self::TimelockCipher => "timelock_cipher",
            Self::TimelockContent => "timelock_content",
            Self::PkeMismatch => "pke_mismatch",
            Self::LowOrderPoint { .. } => "low_order_point",
            Self::OwnerWrap => "owner_wrap",
            Self::KeyMismatch => "key_mismatch",
            Self::Aead => "aead",
            Self::Plaintext(JsonError::TooLarge { .. }) => "plaintext_too_large",
            Self::Plaintext(JsonError::Syntax { .. }) => "plaintext_not_json",
            Self::Plaintext(JsonError::NumberRange { .. }) => "plaintext_number_range",
            Self::Plaintext(JsonError::NotANumber { .. }) => "plaintext_not_a_number",
            Self::Plaintext(JsonError::TooDeep { .. }) => "plaintext_too_deep",
            Self::Plaintext(JsonError::TooManyValues { .. }) => "plaintext_too_many_values",
            Self::Plaintext(JsonError::TooMuchMemory { .. }) => "plaintext_too_much_memory",
            Self::Plaintext(JsonError::DuplicateKey { .. }) => "plaintext_duplicate_key",
            Self::PlaintextNotAnObject { .. } => "plaintext_not_an_object",
            Self::PlaintextHotkey { .. } => "plaintext_hotkey",
            Self::BeaconSignature => "beacon_signature",
            Self::OwnerSecret { .. } => "owner_secret",
        }
    }
}
