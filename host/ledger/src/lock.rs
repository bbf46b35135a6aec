//! One writer at a time, from start to end.

use super::LedgerError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Held by the one program that keeps a ledger going; given up when it is dropped, or its process ends, however that
/// happens. It is on two files: one beside the ledger, which names the holder, and the ledger itself, which has one lock
/// under all of its names.
#[derive(Debug)]
pub struct Lock {
    _beside: File,
    own: Option<File>,
    ledger: PathBuf,
}

impl Lock {
    /// Takes the lock of a ledger, which need not exist yet: the file beside it whose name ends with `.lock`, beside the
    /// file that a symbolic link leads to. Once the ledger is there, [`Lock::hold`] takes the lock on itself.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] where another process holds it; if the file cannot be made.
    pub fn take(ledger: &Path) -> Result<Self, LedgerError> {
        LedgerError::check_folder(ledger)?;
        let path = beside(ledger);
        let fail = |e| LedgerError::io(&path, "taking the lock", e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::InUse { path: ledger.into(), holder: named(&file) });
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let mut lock = Self { _beside: file.try_clone().map_err(fail)?, own: None, ledger: ledger.into() };
        lock.hold()?;
        file.set_len(0).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(lock)
    }

    /// Takes the lock on the ledger's own file, if it exists and is not held yet: another program may come to it by
    /// another name.
    ///
    /// # Errors
    /// [`LedgerError::InUse`].
    pub fn hold(&mut self) -> Result<(), LedgerError> {
        if self.own.is_some() {
            return Ok(());
        }
        // What cannot be opened here is refused, with its reason, where it is opened as a ledger.
        let Ok(file) = File::open(&self.ledger) else { return Ok(()) };
        match file.try_lock() {
            Ok(()) => self.own = Some(file),
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::InUse { path: self.ledger.clone(), holder: None });
            }
            // A file system without such locks: the file beside it has one.
            Err(TryLockError::Error(_)) => {}
        }
        Ok(())
    }
}

/// Who holds the lock of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// No process: it is free.
    Free,
    /// A process; `None` where it is not known which.
    Process(Option<u32>),
}

impl Holder {
    /// Looks who holds the lock of a ledger; makes and changes no file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn find(ledger: &Path) -> Result<Self, LedgerError> {
        let path = beside(ledger);
        let fail = |e| LedgerError::io(&path, "looking at the lock", e);
        let file = match File::open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        // Shared, and given up at once: several may look at the same time.
        match file.as_ref().map(File::try_lock_shared) {
            None | Some(Ok(())) => {}
            Some(Err(TryLockError::WouldBlock)) => return Ok(Self::Process(file.as_ref().and_then(named))),
            Some(Err(TryLockError::Error(error))) => return Err(fail(error)),
        }
        let own = File::open(ledger).ok().map(|own| own.try_lock_shared());
        let is_held = matches!(own, Some(Err(TryLockError::WouldBlock)));
        Ok(if is_held { Self::Process(None) } else { Self::Free })
    }
}

/// The process that a lock's file names. It only helps; without it, messages are shorter.
fn named(file: &File) -> Option<u32> {
    let mut holder = String::new();
    file.take(20).read_to_string(&mut holder).ok()?;
    holder.trim().parse().ok()
}

/// The file beside the ledger, wherever a link to it may lie.
fn beside(ledger: &Path) -> PathBuf {
    let real = ledger.canonicalize().unwrap_or_else(|_| ledger.to_path_buf());
    let mut name = real.into_os_string();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_under_every_name() {
        let dir = tempfile::tempdir().unwrap();
        let [ledger, soft, hard] = ["a.db", "soft.db", "hard.db"].map(|name| dir.path().join(name));
        let mut lock = Lock::take(&ledger).unwrap();
        std::fs::write(&ledger, "").unwrap();
        lock.hold().unwrap();
        std::os::unix::fs::symlink(&ledger, &soft).unwrap();
        std::fs::hard_link(&ledger, &hard).unwrap();
        for other in [&soft, &hard] {
            assert!(matches!(Lock::take(other), Err(LedgerError::InUse { .. })), "{}", other.display());
            assert!(matches!(Holder::find(other).unwrap(), Holder::Process(_)), "{}", other.display());
        }
        drop(lock);
        let _by_link = Lock::take(&hard).unwrap();
        for other in [&ledger, &soft] {
            assert!(matches!(Lock::take(other), Err(LedgerError::InUse { .. })), "{}", other.display());
        }
    }

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = dir.path().join("a.db");
        let lock = Lock::take(&ledger).unwrap();
        let refused = Lock::take(&ledger).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        assert_eq!(Holder::find(&ledger).unwrap(), Holder::Process(Some(std::process::id())));
        drop(lock);
        assert_eq!(Holder::find(&ledger).unwrap(), Holder::Free);
        assert_eq!(Holder::find(&dir.path().join("b.db")).unwrap(), Holder::Free);
        assert!(!dir.path().join("b.db.lock").exists());
        drop(Lock::take(&ledger).unwrap());
        assert!(Lock::take(&dir.path().join("no/such/folder.db")).is_err());
    }
}
