//! Which hotkey signs.

use clap::Args;
use mantis_network::chain::Signer;
use mantis_network::wallet::{Hotkey, Password, WalletError, open};
use std::fmt;
use std::path::PathBuf;

/// Which hotkey signs. The password of an encrypted one comes from MANTIS_WALLET_PASSWORD, or is asked for.
#[derive(Args)]
pub(super) struct WalletArgs {
    /// The wallet that holds the hotkey.
    #[arg(long, value_name = "NAME", conflicts_with = "hotkey_uri")]
    pub(super) wallet_name: Option<String>,
    /// The hotkey in the wallet.
    #[arg(long, value_name = "NAME", default_value = "default", conflicts_with = "hotkey_uri")]
    pub(super) wallet_hotkey: String,
    /// The folder of all wallets; the default is ~/.bittensor/wallets.
    #[arg(long, value_name = "DIR", conflicts_with = "hotkey_uri")]
    pub(super) wallet_path: Option<PathBuf>,
    /// A development key instead of a wallet, such as //Alice: everyone knows its secret.
    #[arg(long, value_name = "URI")]
    pub(super) hotkey_uri: Option<String>,
}

impl WalletArgs {
    /// The hotkey that is named; `None` where none is.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) fn hotkey(&self) -> Result<Option<Hotkey>, WalletError> {
        match (&self.hotkey_uri, &self.wallet_name) {
            (Some(uri), _) => Hotkey::from_uri(uri).map(Some),
            (None, Some(name)) => {
                let folder = self.wallet_path.as_deref();
                open(folder, name, &self.wallet_hotkey, Password::EnvironmentOrPrompt).map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    /// Who signs: the hotkey that is named, which must be the one at `address`, where that is given too.
    ///
    /// # Errors
    /// If it cannot be opened, or has another address.
    pub(super) fn signer(&self, address: Option<&str>) -> anyhow::Result<Signer> {
        match (self.hotkey()?, address) {
            (Some(key), Some(address)) if key.address() != address => {
                anyhow::bail!(
                    "--hotkey is {address}, but the key belongs to {}: leave --hotkey out",
                    key.address()
                )
            }
            (Some(key), _) => Ok(Signer::Key(key)),
            (None, Some(address)) => Ok(Signer::Address(address.into())),
            (None, None) => Ok(Signer::ReadOnly),
        }
    }
}

/// A URI may be a phrase.
impl fmt::Debug for WalletArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletArgs")
            .field("wallet_name", &self.wallet_name)
            .field("wallet_hotkey", &self.wallet_hotkey)
            .field("wallet_path", &self.wallet_path)
            .field("hotkey_uri", &self.hotkey_uri.as_ref().map(|_| "redacted"))
            .finish()
    }
}
