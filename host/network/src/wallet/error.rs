//! Why there is no key.

use super::password::PASSWORD;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The URI of a development key is not valid.
    #[error("--hotkey-uri is no secret URI: //Alice, a phrase, or 0x and 64 hexadecimal digits")]
    Uri,
    /// A text is no address.
    #[error("{text} is not a hotkey's address: its checksum is wrong, or its prefix is not 42")]
    Address {
        /// The text.
        text: String,
    },
    /// A name leads out of the folder.
    #[error(
        "{name:?} is no name of a wallet or hotkey: it may not be empty, nor contain / or \\ or begin with a dot"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// There is no folder to begin with.
    #[error("HOME is not set: say where the wallets lie with --wallet-path")]
    NoHome,
    /// The file cannot be read.
    #[error("{}: {reason}; check --wallet-name, --wallet-hotkey and --wallet-path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Others may read the file.
    #[error("{}: its mode is {mode:o}, so others can read or change the key: run chmod 600 on it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The permissions.
        mode: u32,
    },
    /// The file holds no usable key.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is encrypted, and there is no password.
    #[error("{}: it is encrypted: set {PASSWORD}, or start on a terminal to be asked", path.display())]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// The password does not fit.
    #[error("{}: the password is wrong, or the file is damaged", path.display())]
    WrongPassword {
        /// The file.
        path: PathBuf,
    },
}
