//! Opening a ledger: to read it as it is, or to write.

use super::{LedgerError, schema, shape};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open ledger. One per thread: connections to one file do not block each other's reads.
#[derive(Debug)]
pub struct Ledger {
    pub(super) conn: Connection,
    pub(super) path: PathBuf,
    /// Device and number of the file that is written; `None` where it is only read.
    file: Option<(u64, u64)>,
}

/// How long to wait for another process's lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// Page cache, in KiB. Rows are read once and in order, and a small cache stays in the processor's own: 1 MiB
/// reads 10% faster than 8. A writer keeps the pages of a whole transaction.
const READ_CACHE: i64 = 1_024;
const WRITE_CACHE: i64 = 16_384;

/// Bytes of one text or blob: more than any row has.
const LONGEST_VALUE: i32 = 512 << 20;
/// Bytes that the `-wal` file keeps once all that is in it has been taken over.
const LARGEST_JOURNAL: i64 = 64 << 20;

const CONTENTS: &str = "its table of contents";

impl Ledger {
    /// Opens a ledger to read. Neither the file nor its journal mode is changed, and another process may go
    /// on writing it.
    ///
    /// In WAL mode SQLite keeps an index (`-shm`) beside the file, and makes and leaves it if the folder
    /// allows. Where it does not, the file is read as it lies, which is right as long as no `-wal` file is
    /// beside it; if one is, the ledger is refused rather than read without its newest rows.
    ///
    /// # Errors
    /// If the path is not a readable ledger; see [`LedgerError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref();
        if inspect(path)? == 0 {
            return Err(LedgerError::Foreign { path: path.into(), lacks: "the file is empty".into() });
        }
        let ledger = connect_read_only(path)?;
        schema::check_network_tables(&ledger.conn, path)?;
        shape::check_runs_nothing(&ledger.conn, path)?;
        schema::check_version(&ledger.conn, path)?;
        Ok(ledger)
    }

    /// Opens a ledger to read and write: creates it if absent, and brings our own tables up to date.
    ///
    /// # Errors
    /// As [`Ledger::read`]; a file that is refused has not been touched.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref();
        match inspect(path) {
            Ok(0) | Err(LedgerError::Missing { .. }) => LedgerError::check_folder(path)?,
            Err(refused) => return Err(refused),
            Ok(_) => {
                // Look before touching: a read-write connection alone may already merge a foreign file's WAL.
                let seen = connect_read_only(path)?;
                if !schema::is_blank(&seen.conn, path)? {
                    schema::check_network_tables(&seen.conn, path)?;
                    shape::check_runs_nothing(&seen.conn, path)?;
                    schema::check_version(&seen.conn, path)?;
                }
            }
        }
        let conn = connect_to_write(path)?;
        let fail = |e| LedgerError::sqlite(path, "opening it", e);
        // Incremental. Before anything is written: in a file that has tables it changes nothing.
        conn.pragma_update(None, "auto_vacuum", 2).map_err(fail)?;
        let mode: String =
            conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(fail)?;
        // Where there can be no WAL (some network disks), a journal of the old kind needs every sync to be
        // safe.
        let synchronous = if mode == "wal" { "NORMAL" } else { "FULL" };
        conn.pragma_update(None, "synchronous", synchronous).map_err(fail)?;
        // Else the file beside it keeps the size of the largest transaction there ever was.
        conn.pragma_update(None, "journal_size_limit", LARGEST_JOURNAL).map_err(fail)?;
        let mut ledger = Self { conn, path: path.into(), file: None };
        schema::create_and_migrate(&mut ledger.conn, path)?;
        ledger.file = identity(path);
        Ok(ledger)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file that is written is still the one at its path: one that was deleted or replaced takes all that is
    /// written into it along.
    ///
    /// # Errors
    /// [`LedgerError::Moved`].
    pub fn check_in_place(&self) -> Result<(), LedgerError> {
        let moved = |how| LedgerError::Moved { path: self.path.clone(), how };
        match (self.file, identity(&self.path)) {
            (Some(_), None) => Err(moved("deleted")),
            (Some(ours), Some(there)) if ours != there => Err(moved("replaced by another")),
            _ => Ok(()),
        }
    }

    /// The connection, for tests that need a ledger that this program would not write.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &Connection {
        &self.conn
    }

    /// Has SQLite check the whole file, and every index against its table. Takes seconds per gigabyte.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] with the first thing that is wrong.
    pub fn check_integrity(&self) -> Result<(), LedgerError> {
        let fail = |e| LedgerError::sqlite(&self.path, "checking its integrity", e);
        let found: String =
            self.conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fail)?;
        if found == "ok" {
            return Ok(());
        }
        Err(LedgerError::Corrupt {
            path: self.path.clone(),
            place: "the integrity check".into(),
            detail: found,
        })
    }
}

/// Looks at the file itself, without SQLite. Returns its length.
pub(super) fn inspect(path: &Path) -> Result<u64, LedgerError> {
    let doing = "reading it";
    let fail = |e| LedgerError::io(path, doing, e);
    let kind = fs::metadata(path).map_err(fail)?;
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a device, pipe or socket" };
        return Err(LedgerError::NotAFile { path: path.into(), found });
    }
    let mut head = Vec::with_capacity(100);
    File::open(path).map_err(fail)?.take(100).read_to_end(&mut head).map_err(fail)?;
    if head.is_empty() {
        return Ok(0);
    }
    if !head.starts_with(b"SQLite format 3\0") {
        let found = format!(
            "it begins with `{}`",
            String::from_utf8_lossy(&head[..head.len().min(16)]).escape_debug()
        );
        return Err(LedgerError::NotSqlite { path: path.into(), found });
    }
    let u32_at = |at: usize| head.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let page = match head.get(16..18).map_or(0, |b| u16::from_be_bytes([b[0], b[1]])) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The page count is valid only where the change counter was written with it, and the file may be shorter
    // while a change is still being written into it.
    let counted = u32_at(24) == u32_at(92) && !has_beside(path, "-wal") && !has_beside(path, "-journal");
    let expected = if counted { page * u64::from(u32_at(28)) } else { 100 };
    let actual = fs::metadata(path).map_err(fail)?.len();
    if actual < expected {
        return Err(LedgerError::Truncated { path: path.into(), expected, actual });
    }
    Ok(actual)
}

/// Whether one of SQLite's side files, with anything in it, is beside the ledger.
pub(super) fn has_beside(path: &Path, suffix: &str) -> bool {
    fs::metadata(beside(path, suffix)).is_ok_and(|side| side.len() > 0)
}

/// The path of one of SQLite's side files.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What tells a file from every other.
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Connects to write; makes the file where it is not.
pub(super) fn connect_to_write(path: &Path) -> Result<Connection, LedgerError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |e| LedgerError::sqlite(path, "opening it", e);
    let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    // Where it may not write, SQLite opens the file to read, and says so only at the first change.
    if conn.is_readonly("main").map_err(fail)? {
        return Err(LedgerError::Permission { path: path.into(), doing: "opening it to write".into() });
    }
    tune(&conn, WRITE_CACHE).map_err(fail)?;
    Ok(conn)
}

/// Connects without the right to write.
pub(super) fn connect_read_only(path: &Path) -> Result<Ledger, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |e| LedgerError::sqlite(path, CONTENTS, e);
    let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    let Err(refused) = touch(&conn) else {
        return Ok(Ledger { conn, path: path.into(), file: None });
    };
    // A file in WAL mode in a folder where the index can be neither found nor made.
    let locked_out = matches!(
        refused.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    );
    if !locked_out {
        return Err(fail(refused));
    }
    if has_beside(path, "-wal") {
        return Err(LedgerError::UnmergedWal { path: path.into() });
    }
    connect_immutable(path)
}

/// Connects to a file that does not change: without locks and side files.
pub(super) fn connect_immutable(path: &Path) -> Result<Ledger, LedgerError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let fail = |e| LedgerError::sqlite(path, CONTENTS, e);
    let conn = Connection::open_with_flags(immutable_uri(path), flags).map_err(fail)?;
    touch(&conn).map_err(fail)?;
    Ok(Ledger { conn, path: path.into(), file: None })
}

/// Sets a connection up to read, and reads the first page: an open file is not yet a readable one.
fn touch(conn: &Connection) -> Result<(), rusqlite::Error> {
    tune(conn, READ_CACHE)?;
    conn.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// The URI under which SQLite reads a file without locks and side files.
fn immutable_uri(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut uri = String::from("file://");
    for byte in absolute.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri + "?immutable=1"
}

/// Settings of the connection, none of which is stored in the file.
///
/// No memory map: it would read a third faster, but a program that cuts the file short (`cp` onto it) would
/// then end this process with SIGBUS.
fn tune(conn: &Connection, cache_kib: i64) -> Result<(), rusqlite::Error> {
    harden(conn)?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(32);
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "cache_size", -cache_kib)
}

/// Nothing in the file runs: no trigger, no view, no function that a schema calls; and pages are looked at before they are
/// believed. All ledgers are opened like this, since any may have come from others.
fn harden(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    for off in [
        DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
        DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
        DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
    ] {
        conn.set_db_config(off, false)?;
    }
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.pragma_update(None, "cell_size_check", true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let ledger = Ledger::open(&path).unwrap();
        ledger.check_in_place().unwrap();
        fs::rename(&path, dir.path().join("b.db")).unwrap();
        assert!(matches!(ledger.check_in_place(), Err(LedgerError::Moved { how: "deleted", .. })));
        drop(Ledger::open(&path).unwrap());
        let replaced = ledger.check_in_place().unwrap_err().to_string();
        assert!(replaced.contains("replaced by another while it is written; end this program"), "{replaced}");
        fs::rename(dir.path().join("b.db"), &path).unwrap();
        ledger.check_in_place().unwrap();
    }

    #[test]
    fn a_path_survives_the_uri() {
        assert_eq!(immutable_uri(Path::new("/a b/ü?#%.db")), "file:///a%20b/%C3%BC%3F%23%25.db?immutable=1");
    }
}
