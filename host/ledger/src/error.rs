//! Why a ledger could not be opened, read or written.

use mantis_config::{Block, Sidx};
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a ledger could not be opened, read or written. A refused file has not been touched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no such file.
    #[error("{path}: no such ledger; check the path, or start the validator once to create it")]
    Missing {
        /// The ledger.
        path: PathBuf,
    },
    /// There is no such folder, so no file can be made in it.
    #[error("{path}: there is no folder {folder}; make it, or correct the path")]
    NoFolder {
        /// The ledger.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// The path is a directory, a socket or the like.
    #[error(
        "{path}: this is {found}, not a file; give the path of the SQLite file itself, such as {path}/datalog.db"
    )]
    NotAFile {
        /// The ledger.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// The file or its folder may not be read or written by this user.
    #[error("{path}: permission denied while {doing}; give this user the right to the file and its folder")]
    Permission {
        /// The ledger.
        path: PathBuf,
        /// What was being done.
        doing: String,
    },
    /// The file holds something else.
    #[error("{path}: not a SQLite file ({found}); give the path of a network `datalog.db`")]
    NotSqlite {
        /// The ledger.
        path: PathBuf,
        /// What the file begins with.
        found: String,
    },
    /// The file ends before its own page count says.
    #[error(
        "{path}: truncated: {actual} bytes on disk, {expected} by its header; copy it again, or restore a backup"
    )]
    Truncated {
        /// The ledger.
        path: PathBuf,
        /// Bytes that the header promises.
        expected: u64,
        /// Bytes on disk.
        actual: u64,
    },
    /// SQLite found the file damaged.
    #[error(
        "{path}: damaged, found at {place}: {detail}; restore a backup, or save what is left with `sqlite3 {path} .recover`"
    )]
    Corrupt {
        /// The ledger.
        path: PathBuf,
        /// Where: the ticker and the last good `sidx`, or a table.
        place: String,
        /// SQLite's words.
        detail: String,
    },
    /// A row is not what was stored, by its checksum.
    #[error(
        "{path}: damaged: the row of {ticker} with sidx {sidx} {what}; restore a backup, or, where another program has written \
         the ledger meanwhile, take its rows as they are with `mantis rewind --ledger {path} --forget-sums`"
    )]
    Changed {
        /// The ledger.
        path: PathBuf,
        /// The row's ticker.
        ticker: String,
        /// The row.
        sidx: Sidx,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A SQLite file of another program.
    #[error("{path}: a SQLite file, but not a ledger: {lacks}; give the path of a network `datalog.db`")]
    Foreign {
        /// The ledger.
        path: PathBuf,
        /// The first table or column that is missing.
        lacks: String,
    },
    /// It holds something that a ledger never does, and that is not to be trusted.
    #[error(
        "{path}: not to be trusted: it holds {what}; take a ledger from a publisher whom you trust, or remove that"
    )]
    Unsafe {
        /// The ledger.
        path: PathBuf,
        /// What, and why not.
        what: String,
    },
    /// The file that was opened is not at its path any more.
    #[error(
        "{path}: the ledger's file was {how} while it is written; end this program, put the file back, and start again: what \
         is written now would be lost"
    )]
    Moved {
        /// The ledger.
        path: PathBuf,
        /// What happened to it.
        how: &'static str,
    },
    /// Another validator keeps it going.
    #[error(
        "{path}: another validator{} writes this ledger; end that one first, or give this one a ledger of its own",
        holder.map_or(String::new(), |pid| format!(" (process {pid})"))
    )]
    InUse {
        /// The ledger.
        path: PathBuf,
        /// The other's process, where it is known.
        holder: Option<u32>,
    },
    /// Its rows were stored as something else than the configuration says.
    #[error(
        "{path}: {ticker}: {reason}; its numbers would be read as what they are not. Put that back (new assets go to the \
         end of the list), or give the changed challenge another ticker, or begin another ledger"
    )]
    Layout {
        /// The ledger.
        path: PathBuf,
        /// The challenge.
        ticker: String,
        /// What changed.
        reason: String,
    },
    /// A newer version of this program has changed our own tables.
    #[error(
        "{path}: written by a newer version (its tables are at version {found}, this program knows {known}); update this program"
    )]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Changes lie in a `-wal` file that cannot be merged where the ledger is.
    #[error(
        "{path}: its newest rows lie in `{path}-wal`, which cannot be read in a read-only folder; copy both files to a folder that can be written"
    )]
    UnmergedWal {
        /// The ledger.
        path: PathBuf,
    },
    /// Another process holds a lock.
    #[error("{path}: locked by another process while {doing}; stop the other writer, or try again")]
    Busy {
        /// The ledger.
        path: PathBuf,
        /// What was being done.
        doing: String,
    },
    /// The disk is full. What was committed before is safe.
    #[error("{path}: the disk is full while {doing}; free some space: nothing that was committed is lost")]
    DiskFull {
        /// The ledger.
        path: PathBuf,
        /// What was being done.
        doing: String,
    },
    /// A step that cannot be stored.
    #[error("{path}: block {block} cannot be stored: {reason}")]
    SampledBlock {
        /// The ledger.
        path: PathBuf,
        /// The step's block.
        block: Block,
        /// Why.
        reason: String,
    },
    /// Anything else that the file system says.
    #[error("{path}: {source}")]
    Io {
        /// The ledger.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Anything else that SQLite says.
    #[error("{path}: {doing}: {source}")]
    Sqlite {
        /// The ledger.
        path: PathBuf,
        /// What was being done.
        doing: String,
        /// The cause.
        source: rusqlite::Error,
    },
}

impl LedgerError {
    /// Sorts an error of SQLite into one of ours; `doing` is a phrase such as `reading ETH after sidx 17`.
    pub(super) fn sqlite(path: &Path, doing: impl Into<String>, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        let doing = doing.into();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, place: doing, detail: source.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path, doing },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path, doing },
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                Self::Permission { path, doing }
            }
            _ => Self::Sqlite { path, doing, source },
        }
    }

    /// Whether a ledger can be made at a path: its folder must be there.
    pub(super) fn check_folder(path: &Path) -> Result<(), Self> {
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                Err(Self::NoFolder { path: path.into(), folder: folder.into() })
            }
            _ => Ok(()),
        }
    }

    /// Sorts an error of the file system into one of ours.
    pub(super) fn io(path: &Path, doing: &'static str, source: std::io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { path },
            std::io::ErrorKind::PermissionDenied => Self::Permission { path, doing: doing.into() },
            _ => Self::Io { path, source },
        }
    }
}
