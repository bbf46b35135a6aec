//! Looking at a ledger without leaving a trace.

use super::blob::Length;
use super::rows::Columns;
use super::{Ledger, LedgerError, Row, Warnings, schema};
use mantis_config::{Block, Sidx};
use rusqlite::{ErrorCode, InterruptHandle};
use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

/// What the newest rows of a ledger say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampledRange {
    /// Blocks of the stretch that were sampled.
    pub sampled: u64,
    /// The first of them.
    pub first: Option<Block>,
    /// The newest of them.
    pub newest: Option<Block>,
}

/// What a quick check of all pages found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageCheck {
    /// Nothing wrong.
    Sound,
    /// What is wrong: the first thing that was found.
    Damaged(String),
    /// Somebody broke it off before its end.
    BrokenOff,
}

impl Ledger {
    /// Opens a ledger to read as [`Ledger::read`] does, and makes no file beside it. While changes lie in a `-wal` file,
    /// the writer has made all of those already; else the file is read as it lies.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn look(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref();
        if super::open::inspect(path)? == 0 {
            return Err(LedgerError::Foreign { path: path.into(), lacks: "the file is empty".into() });
        }
        let has_changes = super::open::has_beside(path, "-wal") || super::open::has_beside(path, "-journal");
        let ledger = if has_changes {
            super::open::connect_read_only(path)?
        } else {
            super::open::connect_immutable(path)?
        };
        schema::check_network_tables(&ledger.conn, path)?;
        schema::check_version(&ledger.conn, path)?;
        Ok(ledger)
    }

    /// The version of our own tables; 0 in a file of the network's other programs.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn version(&self) -> Result<i64, LedgerError> {
        schema::check_version(&self.conn, &self.path)
    }

    /// The version that our own tables have in a file that this program has written.
    #[must_use]
    pub fn newest_version() -> i64 {
        schema::VERSION
    }

    /// How many tickers are declared; a look at one small table.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn declared(&self) -> Result<usize, LedgerError> {
        self.conn
            .query_row("SELECT COUNT(*) FROM challenge_meta", [], |row| row.get::<_, i64>(0))
            .map(|count| count as usize)
            .map_err(|e| LedgerError::sqlite(&self.path, "the table challenge_meta", e))
    }

    /// What was sampled from a block on.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn stretch(&self, from: Block) -> Result<SampledRange, LedgerError> {
        let sql = "SELECT COUNT(DISTINCT block), MIN(block), MAX(block) FROM blocks WHERE block >= ?1";
        self.conn
            .query_row(sql, [from.0], |row| {
                let (sampled, first, newest): (i64, Option<i64>, Option<i64>) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(SampledRange {
                    sampled: sampled.cast_unsigned(),
                    first: first.map(Block),
                    newest: newest.map(Block),
                })
            })
            .map_err(|e| LedgerError::sqlite(&self.path, "the table blocks", e))
    }

    /// Whether the file has a table.
    pub(crate) fn has(&self, table: &str) -> Result<bool, LedgerError> {
        schema::has_table(&self.conn, &self.path, table)
    }

    /// Hands every row of a query on `table` to `visit`, one at a time, until it fails.
    pub(crate) fn each<E: From<LedgerError>>(
        &self,
        table: &str,
        sql: &str,
        params: impl rusqlite::Params,
        mut visit: impl FnMut(&rusqlite::Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = |e| E::from(LedgerError::sqlite(&self.path, format!("the table {table}"), e));
        let mut query = self.conn.prepare(sql).map_err(fail)?;
        let mut rows = query.query(params).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            visit(row)?;
        }
        Ok(())
    }

    /// As [`Ledger::rows`], with vectors of any length: see [`Ledger::any_length`].
    pub(crate) fn any_rows<E: From<LedgerError>>(
        &self,
        ticker: &str,
        sidx: RangeInclusive<Sidx>,
        length: Length,
        visit: impl FnMut(Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<Warnings, E> {
        self.scan(Columns::All, ticker, sidx, length, visit)
    }

    /// A handle that breaks off what the connection is doing.
    #[must_use]
    pub fn interrupter(&self) -> InterruptHandle {
        self.conn.get_interrupt_handle()
    }

    /// Has SQLite check every page, but not the indexes against their tables. Takes seconds per gigabyte; an
    /// [`interrupter`](Ledger::interrupter) may break it off.
    ///
    /// # Errors
    /// If the file cannot be read; damage is not an error.
    pub fn check_pages(&self) -> Result<PageCheck, LedgerError> {
        match self.conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)) {
            Ok(found) if found == "ok" => Ok(PageCheck::Sound),
            Ok(found) => Ok(PageCheck::Damaged(found)),
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                Ok(PageCheck::BrokenOff)
            }
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(PageCheck::Damaged(e.to_string()))
            }
            Err(e) => Err(LedgerError::sqlite(&self.path, "checking its pages", e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRow, SampledBlock};
    use std::fs;

    fn step(k: i64) -> SampledBlock {
        let row = NewRow { ticker: "A".into(), ..NewRow::default() };
        SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![row] }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn looking_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut writer = Ledger::open(&path).unwrap();
        for k in [1, 2, 4, 5] {
            writer.append(&step(k)).unwrap();
        }
        let seen = Ledger::look(&path).unwrap().stretch(Block(10)).unwrap();
        assert_eq!(seen, SampledRange { sampled: 3, first: Some(Block(10)), newest: Some(Block(25)) });
        drop(writer);
        let before = (names(dir.path()), fs::read(&path).unwrap());
        let ledger = Ledger::look(&path).unwrap();
        assert_eq!(ledger.stretch(Block::MIN).unwrap().sampled, 4);
        assert_eq!(ledger.version().unwrap(), Ledger::newest_version());
        assert_eq!(ledger.check_pages().unwrap(), PageCheck::Sound);
        drop(ledger);
        assert_eq!((names(dir.path()), fs::read(&path).unwrap()), before);
    }

    #[test]
    fn a_broken_page_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut writer = Ledger::open(&path).unwrap();
        writer.append_many((1..500).map(step), 100).unwrap();
        drop(writer);
        let mut bytes = fs::read(&path).unwrap();
        // Every page but the first, which names the tables, and those of the schema's overflow.
        let from = bytes.len() - 3 * 4096;
        bytes[from..].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        let found = Ledger::look(&path).unwrap().check_pages().unwrap();
        assert!(matches!(found, PageCheck::Damaged(_)), "{found:?}");
    }
}
