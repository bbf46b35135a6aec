//! What is refused, how it is said, and that it is not touched.

use super::{Ledger, LedgerError, NewRow, Row, SampledBlock};
use mantis_config::{Block, Sidx};
use rusqlite::Connection;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A ledger of some pages, in WAL mode but wholly merged.
fn sample(dir: &Path) -> PathBuf {
    let path = dir.join("datalog.db");
    let mut ledger = Ledger::open(&path).unwrap();
    let record = |ticker: &str| NewRow { ticker: ticker.into(), price: Some(1.0), ..NewRow::default() };
    let step = |k| SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![record("A"), record("B")] };
    ledger.append_many((1..=2000).map(step), 500).unwrap();
    path
}

/// Runs both ways of opening; both must refuse with the same kind of error and leave every byte.
#[track_caller]
fn refused(path: &Path, expected: &str, says: &[&str]) {
    let before = fs::read(path).ok();
    for error in [Ledger::read(path).unwrap_err(), Ledger::open(path).unwrap_err()] {
        let (debug, text) = (format!("{error:?}"), error.to_string());
        assert!(debug.starts_with(expected), "{debug}");
        for word in says.iter().chain([&path.to_str().unwrap()]) {
            assert!(text.contains(word), "{text} lacks {word}");
        }
    }
    assert_eq!(fs::read(path).ok(), before);
}

#[test]
fn a_missing_file_is_not_made_by_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    assert!(matches!(Ledger::read(&path), Err(LedgerError::Missing { .. })));
    assert!(!path.exists());
    let nowhere = dir.path().join("no/such/folder.db");
    assert!(Ledger::open(&nowhere).is_err());
}

#[test]
fn a_folder_and_a_foreign_file() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), "NotAFile", &["a folder"]);
    let path = dir.path().join("notes.txt");
    fs::write(&path, "block,price\n5,1.0\n").unwrap();
    refused(&path, "NotSqlite", &["begins with `block,price\\n5,1", "datalog.db"]);
}

#[test]
fn a_sqlite_file_of_another_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    for mode in ["DELETE", "WAL"] {
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "journal_mode", mode).unwrap();
        conn.execute_batch("CREATE TABLE IF NOT EXISTS blocks (idx INTEGER PRIMARY KEY, block INTEGER)")
            .unwrap();
        drop(conn);
        refused(&path, "Foreign", &["no table `challenge_meta`"]);
    }
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE challenge_meta (ticker, dim)").unwrap();
    drop(conn);
    refused(&path, "Foreign", &["`challenge_meta` has no column `blocks_ahead`"]);
}

#[test]
fn a_newer_version() {
    let dir = tempfile::tempdir().unwrap();
    let path = sample(dir.path());
    let conn = Connection::open(&path).unwrap();
    conn.execute("INSERT INTO host_migrations (version, name) VALUES (99, 'from the future')", []).unwrap();
    drop(conn);
    refused(&path, "Newer", &["version 99", "update this program"]);
}

#[test]
fn truncated_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let path = sample(dir.path());
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, 4096, 512, 100] {
        fs::write(&path, &whole[..length]).unwrap();
        refused(&path, "Truncated", &[&format!("{length} bytes"), &whole.len().to_string()]);
    }
    fs::write(&path, &whole[..50]).unwrap();
    refused(&path, "Truncated", &["50 bytes"]);
}

#[test]
fn a_damaged_table_of_contents() {
    let dir = tempfile::tempdir().unwrap();
    let path = sample(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    refused(&path, "Corrupt", &["restore a backup"]);
}

#[test]
fn damage_met_while_reading_names_ticker_and_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = sample(dir.path());
    let page: i64 = Ledger::read(&path)
        .unwrap()
        .conn
        .query_row(
            "SELECT pageno FROM dbstat WHERE name = 'challenge_data' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 3",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = (page as usize - 1) * 4096;
    bytes[at..at + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let ledger = Ledger::read(&path).unwrap();
    let mut last = Sidx(0);
    let error = ledger
        .rows("B", Sidx::MIN..=Sidx::MAX, 1, |row: Row<'_>| {
            last = row.sidx;
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        })
        .unwrap_err();
    assert!(last > Sidx(0));
    assert!(matches!(error, LedgerError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("the rows of B after sidx {last}")), "{error}");
    assert!(matches!(ledger.check_integrity(), Err(LedgerError::Corrupt { .. })));
}

#[test]
fn reading_leaves_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = sample(dir.path());
    for mode in ["WAL", "DELETE"] {
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "journal_mode", mode).unwrap();
        drop(conn);
        let before = fs::read(&path).unwrap();
        let ledger = Ledger::read(&path).unwrap();
        assert_eq!(ledger.tickers().unwrap()[1].rows, 2000);
        ledger.conn.execute("DELETE FROM blocks", []).unwrap_err();
        drop(ledger);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn an_unfinished_creation_is_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.db");
    fs::write(&path, "").unwrap();
    assert!(matches!(Ledger::read(&path), Err(LedgerError::Foreign { .. })));
    drop(Ledger::open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(Ledger::open(&path).unwrap());
    assert_eq!(Ledger::read(&path).unwrap().last_block().unwrap(), None);
}

#[test]
fn permission_denied() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = sample(dir.path());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    assert!(matches!(Ledger::read(&path), Err(LedgerError::Permission { .. })));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::Permission { .. })));
    assert_eq!(Ledger::read(&path).unwrap().last_block().unwrap(), Some(Block(10_000)));
}

#[test]
fn a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("a folder? with #odd name");
    fs::create_dir(&inner).unwrap();
    let path = sample(&inner);
    let writable = |yes| {
        fs::set_permissions(&inner, fs::Permissions::from_mode(if yes { 0o755 } else { 0o555 })).unwrap()
    };
    writable(false);
    if fs::write(inner.join("probe"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    assert_eq!(Ledger::read(&path).unwrap().last_block().unwrap(), Some(Block(10_000)));
    writable(true);
    fs::write(inner.join("datalog.db-wal"), "frames").unwrap();
    writable(false);
    assert!(matches!(Ledger::read(&path), Err(LedgerError::UnmergedWal { .. })));
    writable(true);
}
