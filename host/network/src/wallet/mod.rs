//! Keys that sign: Bittensor's wallet folders and key files, and development keys.

mod error;
mod file;
mod folder;
mod hotkey;
mod nacl;
mod password;

pub use error::WalletError;
pub use folder::{Found, look, open};
pub use hotkey::{Hotkey, check_address, public_key};
pub use password::{PASSWORD, Password};
