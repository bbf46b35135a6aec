//! One writer at a time, from start to end.

use super::LedgerError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Held by the one program that keeps a ledger going; given up when it is dropped, or its process ends, however that
/// happens.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a ledger, which need not exist yet: the file beside it whose name ends with `.lock`.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] where another process holds it; if the file cannot be made.
    pub fn take(ledger: &Path) -> Result<Self, LedgerError> {
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
        file.set_len(0).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { _file: file })
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
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::Free),
            Err(error) => return Err(fail(error)),
        };
        // Shared, and given up at once: several may look at the same time.
        match file.try_lock_shared() {
            Ok(()) => Ok(Self::Free),
            Err(TryLockError::WouldBlock) => Ok(Self::Process(named(&file))),
            Err(TryLockError::Error(error)) => Err(fail(error)),
        }
    }
}

/// The process that a lock's file names. It only helps; without it, messages are shorter.
fn named(file: &File) -> Option<u32> {
    let mut holder = String::new();
    file.take(20).read_to_string(&mut holder).ok()?;
    holder.trim().parse().ok()
}

fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
