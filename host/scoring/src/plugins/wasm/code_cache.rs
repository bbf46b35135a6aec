//! Where machine code is kept, a folder for each component: code is used only if it is, to the bit, what was compiled.
//!
//! The engine runs what it finds in its cache without a look at it. So the digests of a component's kept files lie
//! beside them: where a file is not what they say, or there are none, the folder goes and the component is compiled
//! again.

use super::super::locate::{digest, digest_of};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, io};

/// Components whose code is kept; of more, those that were not used for the longest time go.
const KEPT: usize = 64;
/// Name of the file of digests.
const DIGESTS: &str = "digests";

/// One component's folder of machine code, this process's alone until it is dropped.
pub(super) struct CodeCache {
    root: PathBuf,
    folder: PathBuf,
    /// What was found, and is as it should be.
    known: BTreeMap<PathBuf, String>,
    _lock: File,
}

impl CodeCache {
    /// Takes the folder of the component with this digest, and removes what is damaged in it. `None` where there is no
    /// safe place for machine code.
    pub(super) fn take(sha256: &str) -> Option<Self> {
        Self::take_in(private_code_folder()?, sha256).ok()
    }

    fn take_in(root: PathBuf, sha256: &str) -> io::Result<Self> {
        let folder = root.join(sha256);
        let lock = locked(&root, sha256)?;
        // Others wait until this one has compiled: they would only do the same work beside it.
        lock.lock()?;
        let known = kept(&folder).filter(|known| found(&folder).is_ok_and(|found| found == *known));
        if known.is_none() && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        if known.is_some() {
            // The time of the last use; without it, the folder goes a little earlier.
            let digests = OpenOptions::new().append(true).open(folder.join(DIGESTS));
            let _ = digests.and_then(|file| file.set_modified(SystemTime::now()));
        }
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        Ok(Self { root, folder, known: known.unwrap_or_default(), _lock: lock })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes down what the folder holds now, if it is new. Where that fails, the next start compiles again.
    pub(super) fn keep(self) {
        let Ok(found) = found(&self.folder) else { return };
        if found == self.known || found.is_empty() {
            return;
        }
        let lines = found.iter().map(|(path, digest)| format!("{digest} {}\n", path.display()));
        let lines: String = lines.collect();
        let text = format!("{}{}\n", lines, digest_of(lines.as_bytes()));
        let new = self.folder.join("digests.new");
        let _ = fs::write(&new, text).and_then(|()| fs::rename(&new, self.folder.join(DIGESTS)));
        remove_the_oldest(&self.root, &self.folder);
    }
}

/// Removes the machine code of a component: what is kept of it made a process crash.
pub(crate) fn forget_code(plugin: &Path) {
    let Ok(sha256) = digest(plugin) else { return };
    let Some(root) = private_code_folder() else { return };
    if let Ok(lock) = locked(&root, &sha256)
        && lock.try_lock().is_ok()
    {
        // What cannot be removed is checked once more before it is used.
        let _ = fs::remove_dir_all(root.join(sha256));
    }
}

/// `$XDG_CACHE_HOME/mantis/wasm`, or `~/.cache/mantis/wasm`.
pub(crate) fn code_folder() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("mantis").join("wasm"))
}

/// The same, made where it is missing; `None` where others reach it.
pub(crate) fn private_code_folder() -> Option<PathBuf> {
    code_folder().filter(|dir| is_private(dir))
}

/// Whether the folder is there, ours, and closed to everybody else: what lies in it is run as machine code. Makes it
/// where it is missing.
fn is_private(dir: &Path) -> bool {
    let made = dir.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        match fs::DirBuilder::new().mode(0o700).create(dir) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    });
    let ours = rustix::process::geteuid().as_raw();
    // Not through a link: it could be another's to turn.
    made.is_ok()
        && fs::symlink_metadata(dir)
            .is_ok_and(|found| found.is_dir() && found.uid() == ours && found.mode() & 0o077 == 0)
}

fn locked(root: &Path, sha256: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(root.join(format!("{sha256}.lock")))
}

/// What the folder holds by its digests; `None` where there are none, or they are damaged themselves.
fn kept(folder: &Path) -> Option<BTreeMap<PathBuf, String>> {
    let text = fs::read_to_string(folder.join(DIGESTS)).ok()?;
    let (lines, own) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let lines = format!("{lines}\n");
    if digest_of(lines.as_bytes()) != own {
        return None;
    }
    lines
        .lines()
        .map(|line| line.split_once(' ').map(|(digest, path)| (path.into(), digest.into())))
        .collect()
}

/// What the folder really holds. Names with an extension are the engine's statistics, and what it is just writing (by a
/// thread that may not be done yet): it takes no code from them.
fn found(folder: &Path) -> io::Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.join("modules")];
    while let Some(next) = folders.pop() {
        let entries = match fs::read_dir(&next) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if fs::symlink_metadata(&path)?.is_dir() {
                folders.push(path);
            } else if path.extension().is_none() {
                let digest = digest(&path).map_err(io::Error::other)?;
                found.insert(path.strip_prefix(folder).unwrap_or(&path).to_path_buf(), digest);
            }
        }
    }
    Ok(found)
}

/// Keeps the folders that were used last.
fn remove_the_oldest(root: &Path, own: &Path) {
    let used = |path: &Path| fs::metadata(path.join(DIGESTS)).and_then(|file| file.modified()).ok();
    let entries = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut others: Vec<(Option<SystemTime>, PathBuf)> =
        entries.filter(|path| path != own && path.is_dir()).map(|path| (used(&path), path)).collect();
    others.sort();
    let excess = (others.len() + 1).saturating_sub(KEPT);
    for (_, folder) in others.into_iter().take(excess) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // One that is held is in use.
        if locked(root, &name).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(&folder);
            let _ = fs::remove_file(root.join(format!("{name}.lock")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_a_folder_closed_to_others_keeps_machine_code() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        assert!(is_private(&dir) && is_private(&dir));
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);

        symlink(&dir, root.path().join("link")).unwrap();
        assert!(!is_private(&root.path().join("link")));

        fs::set_permissions(&dir, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(!is_private(&dir));

        fs::write(root.path().join("file"), "").unwrap();
        assert!(!is_private(&root.path().join("file")) && !is_private(&root.path().join("file/below")));
    }

    fn write(cache: &CodeCache, name: &str, code: &[u8]) {
        let folder = cache.folder().join("modules/compiler");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), code).unwrap();
    }

    #[test]
    fn code_that_is_not_what_was_compiled_is_not_found() {
        let root = tempfile::tempdir().unwrap();
        let take = || CodeCache::take_in(root.path().into(), "ab").unwrap();
        let is_kept = || take().folder().join("modules/compiler/code").exists();
        let compile = || {
            let cache = take();
            write(&cache, "code", b"machine code");
            write(&cache, "code.stats", b"1");
            write(&cache, "code.wip-atomic-write-stats", b"2");
            cache.keep();
        };
        compile();
        assert!(is_kept() && is_kept());
        for file in ["modules/compiler/code", DIGESTS] {
            compile();
            let whole = fs::read(root.path().join("ab").join(file)).unwrap();
            for at in 0..whole.len() {
                compile();
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                fs::write(root.path().join("ab").join(file), bytes).unwrap();
                assert!(!is_kept(), "{file}, byte {at}");
            }
        }
        compile();
        fs::write(root.path().join("ab/modules/compiler/code.stats"), b"2").unwrap();
        fs::remove_file(root.path().join("ab/modules/compiler/code.wip-atomic-write-stats")).unwrap();
        assert!(is_kept(), "statistics are no code");
        fs::write(root.path().join("ab/modules/compiler/other"), b"more").unwrap();
        assert!(!is_kept(), "code that nobody vouches for");
        compile();
        fs::remove_file(root.path().join("ab").join(DIGESTS)).unwrap();
        assert!(!is_kept());
    }

    #[test]
    fn code_that_is_not_used_goes() {
        let root = tempfile::tempdir().unwrap();
        for i in 0..KEPT + 5 {
            let cache = CodeCache::take_in(root.path().into(), &format!("{i:02}")).unwrap();
            write(&cache, "code", b"machine code");
            cache.keep();
            let digests = root.path().join(format!("{i:02}")).join(DIGESTS);
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(i as u64);
            OpenOptions::new().append(true).open(digests).unwrap().set_modified(at).unwrap();
        }
        assert!(!root.path().join("04").exists() && root.path().join("05").exists());
    }
}
