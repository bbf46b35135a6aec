//! A release's folder.

use super::{ReleaseError, to_release};
use mantis_config::{Config, Runtime};
use mantis_release::{CHALLENGES, CHANGES, Digest, Folder, ListedFile, MANIFEST, PLUGINS, Release};
use mantis_scoring::plugins::{digest_of, locate};
use semver::VersionReq;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What a release says beside its files.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its number.
    pub number: u32,
    /// Digest of the `release.toml` before it.
    pub previous: Option<Digest>,
    /// The subnet.
    pub netuid: u16,
    /// The block from which on it counts.
    pub activate: i64,
    /// The last block at which it is taken.
    pub expires: i64,
    /// The versions of the program that can run it.
    pub host: VersionReq,
}

/// The files of a release, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The files of a configuration: its text without what belongs to the operator, pinned to the components of its plugins; those; and
/// `changes`, if there is something to say.
///
/// # Errors
/// If a component is missing, or the configuration is faulty.
pub fn of_configuration(file: &Path, changes: Option<&Path>) -> Result<Files, ReleaseError> {
    let config = Config::load(file)?;
    // It is UTF-8, or it would not have been loaded.
    let text = fs::read_to_string(file).map_err(ReleaseError::file(file))?;
    let text = to_release(&text).map_err(|source| ReleaseError::Toml { path: file.into(), source })?;
    let (mut files, mut digests) = (Files::new(), BTreeMap::new());
    for challenge in &config.challenges {
        let path = locate(&challenge.plugin, &config.plugin_dir, Runtime::Wasm)?;
        let bytes = read(&path)?;
        digests.insert(challenge.ticker.clone(), digest_of(&bytes));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.insert(format!("{PLUGINS}/{name}"), bytes);
    }
    files.insert(CHALLENGES.into(), pinned(file, &text, &digests)?.into_bytes());
    if let Some(changes) = changes {
        files.insert(CHANGES.into(), read(changes)?);
    }
    Ok(files)
}

/// The text with each challenge pinned; written anew where its lines hold more than one key.
fn pinned(file: &Path, text: &str, digests: &BTreeMap<String, String>) -> Result<String, ReleaseError> {
    let pin = |text: &str| {
        let config = Config::parse_release(text, Path::new(CHALLENGES))?;
        Ok::<_, ReleaseError>(config.pinned(text, digests)?)
    };
    let anew = || {
        let table: Result<toml::Table, _> = toml::from_str(text);
        let table = table.map_err(|source| ReleaseError::Toml { path: file.into(), source })?;
        pin(&table.to_string())
    };
    pin(text).or_else(|_| anew())
}

/// The files of an earlier release, as they are.
///
/// # Errors
/// If they cannot be read.
pub fn of_release(folder: &Folder) -> Result<Files, ReleaseError> {
    let names = folder.release.files.keys();
    names.map(|name| Ok((name.clone(), read(&folder.path.join(name))?))).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, ReleaseError> {
    fs::read(path).map_err(ReleaseError::file(path))
}

/// Writes a release's folder, which must not be there; whole or not at all.
///
/// # Errors
/// If it is there, cannot be written, or would be refused.
pub fn make(recipe: &Recipe, files: &Files, out: &Path) -> Result<Folder, ReleaseError> {
    if out.exists() {
        return Err(ReleaseError::There { path: out.into() });
    }
    let listed = files.iter().map(|(name, bytes)| {
        let file = ListedFile { size: bytes.len() as u64, sha256: Digest::of(bytes) };
        (name.clone(), file)
    });
    let release = Release {
        netuid: recipe.netuid,
        number: recipe.number,
        activate: recipe.activate,
        expires: recipe.expires,
        host: recipe.host.clone(),
        previous: recipe.previous,
        files: listed.collect(),
    };
    let text = release.to_text()?;
    let all = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let draft = write(out, all.chain([(MANIFEST, text.as_bytes())])).map_err(ReleaseError::file(out))?;
    Folder::verify(draft.path())?.config()?;
    put(draft, out).map_err(ReleaseError::file(out))?;
    Ok(Folder::verify(out)?)
}

/// Writes files into a temporary folder beside the one that they are for.
pub(super) fn write<'f>(
    beside: &Path,
    files: impl Iterator<Item = (&'f str, &'f [u8])>,
) -> std::io::Result<TempDir> {
    let parent = beside.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let draft = tempfile::Builder::new().prefix(".release-").tempdir_in(parent)?;
    for (name, bytes) in files {
        let path = draft.path().join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, bytes)?;
    }
    Ok(draft)
}

/// Puts a temporary folder where it belongs, to be read by everyone.
pub(super) fn put(draft: TempDir, to: &Path) -> std::io::Result<()> {
    readable(draft.path())?;
    fs::rename(draft.path(), to)?;
    // What has moved is not there to be removed.
    let _ = draft.keep();
    Ok(())
}

/// A temporary folder is its owner's alone; a release is for everyone.
#[cfg(unix)]
fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
