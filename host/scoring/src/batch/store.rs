//! The shared folder: what workers need lies there under names that say what it is.
//!
//! `programs/` and `plugins/` hold copies by their digests, `snapshots/` histories for one run, `histories/` those that are
//! kept, `code/` what components were compiled to.

use crate::files::is_own_folder;
use crate::plugins::{Source, digest};
use crate::worker::Program;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// Why an engine's shared folder cannot be used.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The folder, or what is to lie in it, cannot be read or written.
    #[error("the folder {} of [scoring]: {source}; every machine of the engine must have it under this path", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others may write what is run.
    #[error(
        "the folder {} of [scoring] belongs to another user, or others may write to it: what lies there is run; chmod go-w it, \
         or name another one",
        folder.display()
    )]
    Strange {
        /// The folder.
        folder: PathBuf,
    },
}

/// A shared folder of this user's alone.
pub(super) struct Store(PathBuf);

impl Store {
    /// Makes what is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, BatchError> {
        let io = |source| BatchError::Io { folder: folder.into(), source };
        for part in ["", "programs", "plugins", "snapshots", "code"] {
            let path = folder.join(part);
            if !is_own_folder(&path).map_err(io)? {
                return Err(BatchError::Strange { folder: path });
            }
        }
        Ok(Self(folder.into()))
    }

    pub(super) fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    pub(super) fn code(&self) -> PathBuf {
        self.0.join("code")
    }

    /// This program's copy: what runs here runs there. It is looked at once in a process, as long as nothing touches it.
    pub(super) fn keep_program(&self, program: &Program) -> Result<PathBuf, BatchError> {
        static KEPT: Mutex<BTreeMap<(PathBuf, PathBuf), (PathBuf, Stamp)>> = Mutex::new(BTreeMap::new());
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (self.0.clone(), program.path().to_path_buf());
        if let Some((path, stamp)) = kept.get(&name)
            && Stamp::of(path).is_some_and(|now| now == *stamp)
        {
            return Ok(path.clone());
        }
        let path = self.copy_program(program)?;
        if let Some(stamp) = Stamp::of(&path) {
            kept.insert(name, (path.clone(), stamp));
        }
        Ok(path)
    }

    fn copy_program(&self, program: &Program) -> Result<PathBuf, BatchError> {
        let kept = || {
            let mut bytes = Vec::new();
            program.file()?.read_to_end(&mut bytes)?;
            let sha256 = hex::encode(Sha256::digest(&bytes));
            let path = self.0.join("programs").join(format!("mantis-{sha256}"));
            // What is run is looked at whole: a copy may have been damaged since.
            if digest(&path).is_ok_and(|found| found == sha256) {
                return Ok(path);
            }
            put(&path, &bytes, 0o500)?;
            Ok(path)
        };
        kept().map_err(|source| BatchError::Io { folder: self.0.clone(), source })
    }

    /// A plugin's copy, pinned to what the file is now; a worker looks whether it is that.
    pub(super) fn keep_plugin(&self, plugin: &Source) -> io::Result<Source> {
        let bytes = fs::read(&plugin.path)?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        // What is not the pinned one is refused there with the same words as here.
        let pinned = plugin.sha256.clone().unwrap_or_else(|| sha256.clone());
        let name = plugin.path.file_name().unwrap_or_default().to_string_lossy();
        let path = self.0.join("plugins").join(format!("{sha256}-{name}"));
        if fs::metadata(&path).map(|about| about.len()).ok() != Some(bytes.len() as u64) {
            put(&path, &bytes, 0o400)?;
        }
        Ok(Source { path, sha256: Some(pinned), ..plugin.clone() })
    }
}

/// By what it is seen that a file was touched: inode, length, times of content and of the rest.
#[derive(PartialEq, Eq)]
struct Stamp([i64; 6]);

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok()?;
        let inode = about.ino().cast_signed();
        let length = about.len().cast_signed();
        Some(Self([inode, length, about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()]))
    }
}

/// The folder for histories that would be kept in `folder`, which may be one of these already.
pub(super) fn histories(scratch: &Path, folder: &Path) -> PathBuf {
    if folder.starts_with(scratch) {
        return folder.into();
    }
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.into());
    let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    scratch.join("histories").join(format!("{name}-{}", hex::encode(&digest[..6])))
}

/// Writes a file whole, or not at all.
fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".part-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    // Another machine sees it once it is on the disk.
    file.as_file().sync_all()?;
    let _written: File = file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Runtime;

    #[test]
    fn a_plugin_is_copied_once_and_pinned_to_what_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("shared")).unwrap();
        let path = dir.path().join("libmantis_a.so");
        fs::write(&path, "one").unwrap();
        let plugin = Source { path, runtime: Runtime::Native, sha256: None, memory_mib: 1 };
        let first = store.keep_plugin(&plugin).unwrap();
        assert_eq!(fs::read(&first.path).unwrap(), b"one");
        assert_eq!(first.sha256, Some(digest(&first.path).unwrap()));
        // Half a copy, as after a full disk.
        fs::remove_file(&first.path).unwrap();
        fs::write(&first.path, "o").unwrap();
        assert_eq!(store.keep_plugin(&plugin).unwrap(), first);
        assert_eq!(fs::read(&first.path).unwrap(), b"one");
        fs::write(&plugin.path, "two").unwrap();
        let second = store.keep_plugin(&plugin).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(&first.path).unwrap(), b"one");
        let pinned = Source { sha256: Some("00".into()), ..plugin };
        assert_eq!(store.keep_plugin(&pinned).unwrap().sha256.as_deref(), Some("00"));
    }

    #[test]
    fn a_program_that_was_damaged_is_copied_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let path = dir.path().join("mantis");
        fs::write(&path, "a program").unwrap();
        let program = Program::from(path);
        let kept = store.keep_program(&program).unwrap();
        fs::remove_file(&kept).unwrap();
        fs::write(&kept, "a probram").unwrap();
        assert_eq!(store.keep_program(&program).unwrap(), kept);
        assert_eq!(fs::read(&kept).unwrap(), b"a program");
        assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o500);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(BatchError::Strange { .. })));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let Err(error) = Store::open(&file) else { panic!("a file is no folder") };
        assert!(error.to_string().contains("of [scoring]"), "{error}");
    }

    #[test]
    fn histories_of_two_ledgers_lie_apart_and_stay_where_they_are() {
        let [one, other] = ["/a/datalog.db.history", "/b/datalog.db.history"]
            .map(|folder| histories(Path::new("/shared"), Path::new(folder)));
        assert_ne!(one, other);
        assert!(one.starts_with("/shared/histories"));
        assert_eq!(histories(Path::new("/shared"), &one), one);
    }
}
