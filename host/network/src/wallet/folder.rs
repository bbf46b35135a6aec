//! Bittensor's folders: `~/.bittensor/wallets/NAME/hotkeys/HOTKEY`.

use super::error::WalletError;
use super::file;
use super::hotkey::Hotkey;
use super::nacl::{self, Nacl};
use super::password::{PASSWORD, Password};
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A key file has a few hundred bytes.
const LARGEST: u64 = 64 * 1024;

/// The hotkey of a wallet. `folder` is the folder of all wallets; the default is Bittensor's.
///
/// # Errors
/// [`WalletError`].
pub fn open(
    folder: Option<&Path>,
    wallet: &str,
    hotkey: &str,
    password: Password,
) -> Result<Hotkey, WalletError> {
    let path = place(folder, wallet, hotkey)?;
    let bytes = read(&path)?;
    let content = |reason: &str| WalletError::Content { path: path.clone(), reason: reason.into() };
    if bytes.starts_with(b"$ANSIBLE_VAULT") || bytes.starts_with(b"gAAAAA") {
        return Err(content("it is encrypted in an old way: encrypt it again with a newer btcli"));
    }
    let plain = if bytes.starts_with(nacl::MARK) {
        let password = ask(&path, password)?;
        nacl::open(&bytes, &password).map_err(|error| match error {
            Nacl::Short => content("it is cut off"),
            Nacl::Memory => content("512 MiB of memory are needed to open it, and are not free"),
            Nacl::Password => WalletError::WrongPassword { path: path.clone() },
        })?
    } else {
        bytes
    };
    file::parse(&plain).map_err(|reason| content(&reason))
}

/// What can be said of a hotkey's file without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Whether a password is needed.
    pub encrypted: bool,
    /// The hotkey's address: of the key itself, or, where it is encrypted, as the file of its public half says, if
    /// there is one.
    pub address: Option<String>,
}

/// Looks at the hotkey of a wallet without asking for a password.
///
/// # Errors
/// As [`open`], but for what only a password would show.
pub fn look(folder: Option<&Path>, wallet: &str, hotkey: &str) -> Result<Found, WalletError> {
    let path = place(folder, wallet, hotkey)?;
    let bytes = read(&path)?;
    let encrypted = bytes.starts_with(nacl::MARK);
    let address = if encrypted {
        // The folder's own convention: the public half of NAME lies in NAMEpub.txt.
        let public = path.with_file_name(format!("{hotkey}pub.txt"));
        std::fs::read(public).ok().and_then(|text| file::address(&text))
    } else {
        let key = open(folder, wallet, hotkey, Password::Environment)?;
        Some(key.address().to_owned())
    };
    Ok(Found { path, encrypted, address })
}

/// Where the file of a hotkey lies.
fn place(folder: Option<&Path>, wallet: &str, hotkey: &str) -> Result<PathBuf, WalletError> {
    let folder = match folder {
        Some(folder) => expanded(folder)?,
        None => home()?.join(".bittensor/wallets"),
    };
    for name in [wallet, hotkey] {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(WalletError::Name { name: name.into() });
        }
    }
    Ok(folder.join(wallet).join("hotkeys").join(hotkey))
}

/// Reads a file that no other user may read. The permissions are those of the open file, not of another one that took its
/// place.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let error = |error: std::io::Error| WalletError::Read { path: path.into(), reason: error.to_string() };
    let file = File::open(path).map_err(error)?;
    let about = file.metadata().map_err(error)?;
    if !about.is_file() {
        return Err(WalletError::Read { path: path.into(), reason: "it is not a file".into() });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(WalletError::Open { path: path.into(), mode });
        }
    }
    // With room for all of it, it is not copied while it grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST as usize));
    file.take(LARGEST).read_to_end(&mut bytes).map_err(error)?;
    Ok(bytes)
}

fn ask(path: &Path, password: Password) -> Result<Zeroizing<String>, WalletError> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(Zeroizing::new(password));
    }
    let none = || WalletError::NoPassword { path: path.into() };
    if password == Password::Environment || !std::io::stdin().is_terminal() {
        return Err(none());
    }
    let prompt = format!("Password of {}: ", path.display());
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|_| none())
}

fn expanded(folder: &Path) -> Result<PathBuf, WalletError> {
    match folder.strip_prefix("~") {
        Ok(rest) => Ok(home()?.join(rest)),
        Err(_) => Ok(folder.into()),
    }
}

fn home() -> Result<PathBuf, WalletError> {
    std::env::home_dir().ok_or(WalletError::NoHome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder with one file of PyPI's bittensor-wallet 4.1.1 as its hotkey.
    fn wallet(fixture: &str, mode: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let hotkeys = folder.path().join("mine/hotkeys");
        std::fs::create_dir_all(&hotkeys).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wallets").join(fixture);
        let to = hotkeys.join("default");
        std::fs::write(&to, std::fs::read(from).unwrap()).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(mode)).unwrap();
        folder
    }

    fn address(fixture: &str, mode: u32) -> Result<String, WalletError> {
        let folder = wallet(fixture, mode);
        open(Some(folder.path()), "mine", "default", Password::Environment)
            .map(|key| key.address().to_owned())
    }

    #[test]
    fn plain_files_of_the_real_package_open() {
        assert_eq!(address("plain", 0o600).unwrap(), "5Ckqtg5KQmUwJSwRnhqHMn7JjQuwWFopKYQE3zeLtyEyHM6g");
        assert_eq!(
            address("private-key", 0o400).unwrap(),
            "5EsNLFaGe9XK5LzWH3i6eC2Wqv6YqZS1442N1C4yeSdP6uxy"
        );
    }

    #[test]
    fn what_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o606] {
            let error = address("plain", mode).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{mode:o}")), "{error}");
        }
    }

    #[test]
    fn encrypted_files_of_the_real_package_open_with_their_password() {
        let folder = wallet("locked", 0o600);
        let bytes = std::fs::read(folder.path().join("mine/hotkeys/default")).unwrap();
        let plain = nacl::open(&bytes, "correct horse").unwrap();
        assert_eq!(
            file::parse(&plain).unwrap().address(),
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
        );
        assert_eq!(nacl::open(&bytes, "correct horse ").unwrap_err(), Nacl::Password);
        assert_eq!(nacl::open(&bytes[..20], "correct horse").unwrap_err(), Nacl::Short);
    }

    #[test]
    fn a_look_needs_no_password() {
        let plain = wallet("plain", 0o600);
        let found = look(Some(plain.path()), "mine", "default").unwrap();
        assert!(!found.encrypted);
        assert_eq!(found.address.as_deref(), Some("5Ckqtg5KQmUwJSwRnhqHMn7JjQuwWFopKYQE3zeLtyEyHM6g"));
        let locked = wallet("locked", 0o600);
        let found = look(Some(locked.path()), "mine", "default").unwrap();
        assert_eq!((found.encrypted, found.address), (true, None));
        // The public half says whose it is.
        let public = locked.path().join("mine/hotkeys/defaultpub.txt");
        std::fs::write(public, r#"{"ss58Address": "5Grwva"}"#).unwrap();
        let found = look(Some(locked.path()), "mine", "default").unwrap();
        assert_eq!(found.address.as_deref(), Some("5Grwva"));
        let open = wallet("plain", 0o644);
        assert!(matches!(look(Some(open.path()), "mine", "default"), Err(WalletError::Open { .. })));
    }

    #[test]
    fn names_stay_in_the_folder_and_missing_files_are_named() {
        let folder = wallet("plain", 0o600);
        let failure = |wallet: &str, hotkey: &str| {
            open(Some(folder.path()), wallet, hotkey, Password::Environment).unwrap_err()
        };
        for name in ["", "..", "../mine", "a/b", ".hidden"] {
            assert_eq!(failure(name, "default"), WalletError::Name { name: name.into() });
            assert_eq!(failure("mine", name), WalletError::Name { name: name.into() });
        }
        let error = failure("mine", "other").to_string();
        assert!(
            error.contains("mine/hotkeys/other: No such file") && error.contains("--wallet-hotkey"),
            "{error}"
        );
    }
}
