//! A journal of jobs that others do for a run: what was given to whom, what came of it, what it cost.
//!
//! A file of its own beside what is kept of the results. It decides nothing: which results are there, their files say.

use super::LedgerError;
use super::open::connect_to_write;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
  name TEXT PRIMARY KEY,   -- a digest of all that the result depends on
  ticker TEXT NOT NULL,
  block INTEGER NOT NULL,
  state TEXT NOT NULL,     -- waiting, queued, running, done, failed, here
  attempts INTEGER NOT NULL DEFAULT 0,
  node TEXT,               -- the machine of the last attempt
  began REAL,              -- when its worker began, Unix s
  seconds REAL NOT NULL DEFAULT 0,  -- what all its workers took together
  why TEXT                 -- why the last attempt that failed did
) WITHOUT ROWID;
";

/// The journal in a file. What cannot be written is not: a run goes on without it.
#[derive(Debug)]
pub struct JobJournal {
    path: PathBuf,
    conn: Mutex<Connection>,
}

/// What a journal comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JobTotals {
    /// Jobs that are not begun.
    pub waiting: u64,
    /// Jobs at the engine.
    pub running: u64,
    /// Jobs that gave what was asked for.
    pub done: u64,
    /// Jobs that did not.
    pub failed: u64,
    /// What all workers took together, s.
    pub seconds: f64,
    /// Machines that did one.
    pub nodes: u64,
}

impl JobJournal {
    /// That of a file, which is made where it is not there. What an earlier run had begun waits again.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let conn = connect_to_write(path)?;
        let fail = |e| LedgerError::sqlite(path, "opening the journal of jobs", e);
        conn.execute_batch(SCHEMA).map_err(fail)?;
        conn.execute("UPDATE jobs SET state = 'waiting' WHERE state IN ('queued', 'running')", [])
            .map_err(fail)?;
        Ok(Self { path: path.into(), conn: Mutex::new(conn) })
    }

    /// Jobs of a block, by name and ticker, are about to be given away. One that was done before, and is asked for again,
    /// waits again: its result is gone.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn plan(&self, block: i64, jobs: &[(String, String)]) -> Result<(), LedgerError> {
        self.write(|conn| {
            let transaction = conn.unchecked_transaction()?;
            let mut insert = transaction.prepare(
                "INSERT INTO jobs (name, ticker, block, state) VALUES (?1, ?2, ?3, 'waiting')
                 ON CONFLICT (name) DO UPDATE SET state = 'waiting'",
            )?;
            for (name, ticker) in jobs {
                insert.execute(params![name, ticker, block])?;
            }
            drop(insert);
            transaction.commit()
        })
    }

    /// An attempt was given to the engine.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn queued(&self, name: &str, attempt: u32) -> Result<(), LedgerError> {
        self.write(|conn| {
            let sql =
                "UPDATE jobs SET state = 'queued', attempts = ?2, node = NULL, began = NULL WHERE name = ?1";
            conn.execute(sql, params![name, attempt]).map(drop)
        })
    }

    /// Its worker began.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn running(&self, name: &str, node: Option<&str>, now: f64) -> Result<(), LedgerError> {
        self.write(|conn| {
            let sql = "UPDATE jobs SET state = 'running', node = ?2, began = ?3 WHERE name = ?1";
            conn.execute(sql, params![name, node, now]).map(drop)
        })
    }

    /// It ended: `state` is `done`, `failed`, or `here` where this machine does it now.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn ended(&self, name: &str, state: &str, why: Option<&str>, now: f64) -> Result<(), LedgerError> {
        self.write(|conn| {
            let sql = "UPDATE jobs SET state = ?2, why = coalesce(?3, why),
                       seconds = seconds + max(0, ?4 - coalesce(began, ?4)), began = NULL WHERE name = ?1";
            conn.execute(sql, params![name, state, why, now]).map(drop)
        })
    }

    /// What all jobs come to, those of earlier runs among them.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn totals(&self) -> Result<JobTotals, LedgerError> {
        let mut totals = JobTotals::default();
        self.write(|conn| {
            let sql = "SELECT sum(state = 'waiting'), sum(state IN ('queued', 'running')),
                       sum(state IN ('done', 'here')), sum(state = 'failed'), total(seconds), count(DISTINCT node) FROM jobs";
            totals = conn.query_row(sql, [], |row| {
                let count = |i| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(i)?.map_or(0, i64::unsigned_abs));
                Ok(JobTotals {
                    waiting: count(0)?,
                    running: count(1)?,
                    done: count(2)?,
                    failed: count(3)?,
                    seconds: row.get(4)?,
                    nodes: count(5)?,
                })
            })?;
            Ok(())
        })?;
        Ok(totals)
    }

    fn write(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), LedgerError> {
        let conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        write(&conn).map_err(|e| LedgerError::sqlite(&self.path, "writing the journal of jobs", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_when_a_run_ended_waits_again_and_costs_add_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let journal = JobJournal::open(&path).unwrap();
        let jobs = ["a", "b", "c"].map(|name| (name.to_owned(), "ETH".to_owned()));
        journal.plan(100, &jobs).unwrap();
        assert_eq!(journal.totals().unwrap().waiting, 3);
        journal.queued("a", 1).unwrap();
        journal.running("a", Some("n1"), 10.0).unwrap();
        journal.ended("a", "failed", Some("gone"), 12.5).unwrap();
        journal.queued("a", 2).unwrap();
        journal.running("a", Some("n2"), 20.0).unwrap();
        journal.ended("a", "done", None, 21.0).unwrap();
        journal.queued("b", 1).unwrap();
        journal.running("b", Some("n1"), 20.0).unwrap();
        let totals = journal.totals().unwrap();
        assert_eq!(totals, JobTotals { waiting: 1, running: 1, done: 1, failed: 0, seconds: 3.5, nodes: 2 });
        drop(journal);
        let again = JobJournal::open(&path).unwrap();
        assert_eq!(again.totals().unwrap().waiting, 2);
        again.plan(100, &jobs[..1]).unwrap();
        assert_eq!(again.totals().unwrap().waiting, 3);
        // One that never began costs nothing.
        again.queued("c", 1).unwrap();
        again.ended("c", "failed", Some("no room"), 99.0).unwrap();
        let totals = again.totals().unwrap();
        assert_eq!((totals.failed, totals.seconds), (1, 3.5));
    }
}
