//! Folders for history snapshots, and removing those that a killed process left.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use tempfile::TempDir;

/// How the folders' names begin.
const PREFIX: &str = "mantis-history-";
/// The file in a folder that its process holds locked for as long as it lives.
const LOCK: &str = "owner.lock";
/// Its name before it is locked.
const UNLOCKED: &str = "owner.new";

/// A folder of this process's own, gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    // Dropped in this order: the folder is gone before its lock is.
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes a folder in `parent`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn new(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let lock = File::create_new(folder.path().join(UNLOCKED))?;
        lock.lock()?;
        // Under its own name it is locked from the first.
        fs::rename(folder.path().join(UNLOCKED), folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders in `parent` that processes of this user have left there, and gives how many. A folder whose
/// process lives, or of which that is not known, stays.
///
/// # Errors
/// If `parent` cannot be read, or a folder cannot be removed; the others are.
pub fn sweep(parent: &Path) -> io::Result<usize> {
    let (mut removed, mut failed) = (0, None);
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        match remove_left(&entry.path()) {
            Ok(was_left) => removed += usize::from(was_left),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(removed), Err)
}

/// Removes a folder if its process is gone; whether it was.
fn remove_left(folder: &Path) -> io::Result<bool> {
    let about = fs::symlink_metadata(folder)?;
    if !about.is_dir() || about.uid() != rustix::process::geteuid().as_raw() {
        return Ok(false);
    }
    let lock = File::open(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => fs::remove_dir_all(folder).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_left_behind_goes() {
        let parent = tempfile::tempdir().unwrap();
        let held = Scratch::new(parent.path()).unwrap();
        let left = Scratch::new(parent.path()).unwrap();
        let path = left.path().to_path_buf();
        // As after a kill: the folder is there, the lock is not.
        let Scratch { folder, _lock } = left;
        let _ = folder.keep();
        drop(_lock);
        // Not ours to judge: of a version without locks, of another program, a link to elsewhere.
        let elsewhere = parent.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join(LOCK), "").unwrap();
        fs::create_dir(parent.path().join("mantis-history-old")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, parent.path().join("mantis-history-link")).unwrap();
        assert_eq!(sweep(parent.path()).unwrap(), 1);
        assert!(!path.exists() && held.path().exists() && elsewhere.join(LOCK).exists());
        assert!(parent.path().join("mantis-history-old").exists());
        assert_eq!(sweep(parent.path()).unwrap(), 0);
        let path = held.path().to_path_buf();
        drop(held);
        assert!(!path.exists());
        assert!(sweep(Path::new("/no/such/folder")).is_err());
    }
}
