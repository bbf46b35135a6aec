//! Opening a store, and its connections.

use super::error::StoreError;
use super::schema::{APPLICATION, MIGRATIONS};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Name of the file in the folder of a store.
pub const STORE_FILE: &str = "signal.db";

/// How long to wait for another process's lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of one text or blob.
const LONGEST_VALUE: i32 = 32 << 20;
/// Connections that are kept for reading.
const READERS: usize = 8;

/// An open store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    newest: watch::Sender<i64>,
}

impl Store {
    /// Opens the store in a folder; makes both if there is none. The folder's and the file's owner alone can read them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        if !folder.exists() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|source| StoreError::File { path: folder.into(), source })?;
        }
        let path = folder.join(STORE_FILE);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(StoreError::File { path, source: error })
            }
            _ => Self::open_file(path),
        }
    }

    /// Opens the store in a folder, if there is one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn existing(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(STORE_FILE);
        if !path.exists() {
            return Err(StoreError::Missing { path });
        }
        Self::open_file(path)
    }

    fn open_file(path: PathBuf) -> Result<Self, StoreError> {
        let about = fs::metadata(&path).map_err(|source| StoreError::File { path: path.clone(), source })?;
        if about.mode() & 0o077 != 0 {
            return Err(StoreError::Open { path });
        }
        let mut writer =
            prepare(&path, about.len() == 0).map_err(|error| error.at(&path, "opening it to write"))?;
        migrate(&mut writer, &path).map_err(|error| error.at(&path, "bringing it up to date"))?;
        let (newest, _) = watch::channel(0);
        let store = Self { path, writer: Mutex::new(writer), readers: Mutex::default(), newest };
        store.refresh()?;
        Ok(store)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest forecast's number, whenever there is a newer one: 0 while there is none. What another process
    /// publishes is noticed by [`Store::refresh`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// Looks for forecasts that another process has published; gives the newest one's number.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn refresh(&self) -> Result<i64, StoreError> {
        let newest = self.read("reading the newest number", |conn| {
            Ok(conn.query_row("SELECT ifnull(max(seq), 0) FROM forecasts", [], |row| row.get(0))?)
        })?;
        self.announce(newest);
        Ok(newest)
    }

    pub(super) fn announce(&self, newest: i64) {
        self.newest.send_if_modified(|known| {
            let is_newer = newest > *known;
            if is_newer {
                *known = newest;
            }
            is_newer
        });
    }

    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let free = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match free {
            Some(conn) => conn,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let conn = Connection::open_with_flags(&self.path, flags).and_then(with_limits);
                conn.map_err(|error| StoreError::from(error).at(&self.path, doing))?
            }
        };
        let answer = read(&conn).map_err(|error| error.at(&self.path, doing))?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(conn);
        }
        Ok(answer)
    }

    /// All or nothing: what fails leaves the file as it was.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut conn = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = || {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = write(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        };
        whole().map_err(|error: StoreError| error.at(&self.path, doing))
    }

    /// Changes the file behind the store's back, as tests need it.
    #[cfg(test)]
    pub(crate) fn tamper(&self, sql: &str) {
        self.writer.lock().unwrap().execute_batch(sql).unwrap();
    }
}

fn with_limits(conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_timeout(PATIENCE)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

fn prepare(path: &Path, is_new: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).and_then(with_limits)?;
    let foreign = || StoreError::Foreign { path: path.into() };
    let application = conn.query_row("PRAGMA application_id", [], |row| row.get::<_, i64>(0));
    let application = match application {
        Ok(found) => found,
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == rusqlite::ErrorCode::NotADatabase => {
            return Err(foreign());
        }
        Err(error) => return Err(error.into()),
    };
    // An empty file may be one that another process has made just now: the migration looks again.
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (tables > 0 || !is_new) {
        return Err(foreign());
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // What was said must not be unsaid by a power cut.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    Ok(conn)
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known || found < 0 {
        return Err(StoreError::Newer { path: path.into(), found, known });
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_store_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new/store");
        assert!(matches!(Store::existing(&folder), Err(StoreError::Missing { .. })));
        let store = Store::open(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        }
        drop(store);
        let again = Store::existing(&folder).unwrap();
        assert_eq!(again.refresh().unwrap(), 0);
        drop(again);
        fs::set_permissions(folder.join(STORE_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Store::open(&folder), Err(StoreError::Open { .. })));
    }

    #[test]
    fn files_of_others_and_of_newer_programs_are_left_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(STORE_FILE);
        let put = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        put(b"these are words and no database at all, however long they may be.......................");
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Foreign { .. })));
        fs::remove_file(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE x (y)").unwrap();
        drop(other);
        put(&fs::read(&path).unwrap());
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Foreign { .. })));
        fs::remove_file(&path).unwrap();
        Store::open(dir.path()).unwrap().tamper("PRAGMA user_version = 99");
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Newer { found: 99, .. })));
    }
}
