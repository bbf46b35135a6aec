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
    /// [`LedgerError::InUse`] where another process holds it; where the file cannot be made.
    pub fn take(ledger: &Path) -> Result<Self, LedgerError> {
        let path = beside(ledger);
        let fail = |e| LedgerError::io(&path, "taking the lock", e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is only helps; without it the message is shorter.
                let _ = file.take(20).read_to_string(&mut holder);
                let holder = holder.trim().parse().ok();
                return Err(LedgerError::InUse { path: ledger.into(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        file.set_len(0).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { _file: file })
    }
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
        drop(lock);
        drop(Lock::take(&ledger).unwrap());
        assert!(Lock::take(&dir.path().join("no/such/folder.db")).is_err());
    }
}
