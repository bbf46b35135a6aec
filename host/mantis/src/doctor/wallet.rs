//! The hotkey: where it lies, who can read it, whether it is encrypted. No password is ever asked for.

use super::finding::Verdict;
use mantis_network::wallet::{Found, Hotkey, PASSWORD, Password, WalletError, look, open};
use std::path::PathBuf;
use zeroize::Zeroizing;

pub(super) const CHECK: &str = "wallet";

/// Which hotkey sets the weights.
#[derive(Clone, Default)]
pub enum Key {
    /// None is named.
    #[default]
    None,
    /// A development key.
    Uri(Zeroizing<String>),
    /// A wallet's.
    Wallet {
        /// The folder of all wallets; `None` is Bittensor's own.
        folder: Option<PathBuf>,
        /// The wallet.
        wallet: String,
        /// The hotkey in it.
        hotkey: String,
    },
}

/// Looks at the hotkey; gives its address where it is known.
pub(super) fn check(key: &Key, network: Option<&str>) -> (Verdict, Option<String>) {
    match key {
        Key::None => {
            let why = "no hotkey is named: --wallet-name and --wallet-hotkey, or --hotkey-uri";
            (Verdict::skipped(why), None)
        }
        Key::Uri(uri) => match Hotkey::from_uri(uri) {
            Ok(key) => (judge_uri(key.address(), network), Some(key.address().to_owned())),
            Err(error) => (judge_error(error), None),
        },
        Key::Wallet { folder, wallet, hotkey } => match look(folder.as_deref(), wallet, hotkey) {
            Ok(found) => {
                let has_password = std::env::var_os(PASSWORD).is_some();
                let opened = (found.encrypted && has_password)
                    .then(|| open(folder.as_deref(), wallet, hotkey, Password::Environment));
                match opened {
                    Some(Ok(key)) => {
                        let what = format!("{} opens with {PASSWORD}", found.path.display());
                        (Verdict::ok(what), Some(key.address().to_owned()))
                    }
                    Some(Err(error)) => (judge_error(error), found.address),
                    None => (judge_file(&found), found.address),
                }
            }
            Err(error) => (judge_error(error), None),
        },
    }
}

fn judge_uri(address: &str, network: Option<&str>) -> Verdict {
    let what = format!("{address} comes from --hotkey-uri");
    let is_public = network.is_some_and(|network| network.split(',').any(|part| part.trim() == "finney"));
    if is_public {
        let what = format!("{what}, which stands in the list of processes for all users");
        return Verdict::warning(
            what,
            "keep the key of a public network in a wallet: --wallet-name, --wallet-hotkey",
        );
    }
    Verdict::ok(what)
}

fn judge_file(found: &Found) -> Verdict {
    let path = found.path.display();
    if found.encrypted {
        return Verdict::warning(
            format!("{path} is encrypted, and {PASSWORD} is not set"),
            format!("set {PASSWORD} for a service; on a terminal the validator asks for the password"),
        );
    }
    Verdict::ok(format!("{path} can be read, only by this user, and is not encrypted"))
}

fn judge_error(error: WalletError) -> Verdict {
    let cure = match &error {
        WalletError::Open { path, .. } => format!("run `chmod 600 {}`", path.display()),
        WalletError::WrongPassword { .. } => format!("set {PASSWORD} to the file's password"),
        WalletError::Uri => "write //Alice, a phrase, or 0x and 64 hexadecimal digits".into(),
        WalletError::NoHome => "say where the wallets lie: --wallet-path".into(),
        _ => "check --wallet-name, --wallet-hotkey and --wallet-path".into(),
    };
    match error {
        WalletError::Read { .. } => Verdict::error(error, &cure),
        // What follows the colon is the cure in other words.
        other => Verdict::fault(other.to_string(), cure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_uri_is_for_test_networks() {
        let alice = Key::Uri(Zeroizing::new("//Alice".into()));
        let (verdict, address) = check(&alice, Some("local"));
        assert_eq!((verdict.status, address.unwrap().len()), (Status::Ok, 48));
        assert_eq!(check(&alice, Some("finney")).0.status, Status::Warning);
        let (verdict, address) = check(&Key::Uri(Zeroizing::new("no such secret".into())), None);
        assert!(
            verdict.status == Status::Fault && address.is_none() && !verdict.what.contains("no such secret")
        );
        assert_eq!(check(&Key::None, None).0.status, Status::Skipped);
    }

    #[test]
    fn files_are_judged_by_who_can_read_them() {
        let found = |encrypted| Found { path: "w/hotkeys/default".into(), encrypted, address: None };
        assert_eq!(judge_file(&found(false)).status, Status::Ok);
        let locked = judge_file(&found(true));
        assert!(locked.status == Status::Warning && locked.cure.unwrap().contains(PASSWORD));
        let open = judge_error(WalletError::Open { path: "w/k".into(), mode: 0o644 });
        assert_eq!((open.status, open.cure.as_deref()), (Status::Fault, Some("run `chmod 600 w/k`")));
        let absent = Key::Wallet { folder: Some("/no/such".into()), wallet: "a".into(), hotkey: "b".into() };
        let (verdict, _) = check(&absent, None);
        assert!(verdict.status == Status::Fault && verdict.cure.unwrap().contains("--wallet-name"));
    }
}
