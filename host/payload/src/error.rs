//! Why a payload could not be sealed.

use thiserror::Error;

/// Why a payload could not be sealed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// There is no round 0.
    #[error("round 0 does not exist; rounds begin with 1")]
    Round,
    /// The owner key has small order.
    #[error("the owner key is a point of small order, for which nothing can be sealed; check `owner_key`")]
    OwnerKey,
    /// The plaintext names another hotkey already.
    #[error("the plaintext says `hotkey` {found}, but it is sealed for {hotkey}; remove the entry")]
    Hotkey {
        /// What it says.
        found: String,
        /// Whom it is sealed for.
        hotkey: String,
    },
    /// A cipher or a library failed.
    #[error("cannot seal: {0}")]
    Cipher(&'static str),
}
