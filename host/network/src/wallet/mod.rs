//! Keys that sign: Bittensor's wallet folders and key files, and development keys.

mod file;
mod folder;
mod hotkey;
mod nacl;

pub use folder::{Found, PASSWORD, Password, WalletError, look, open};
pub use hotkey::Hotkey;
