//! The smaller things that a ledger knows.

use super::rows::Columns;
use super::snapshot::KeptHistory;
use super::{Directory, Ledger, LedgerError, Row, is_nonzero, schema};
use mantis_config::{Block, Sidx};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

/// A ticker of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// Its key: `ETH`.
    pub ticker: String,
    /// Numbers per miner and asset, if `challenge_meta` has it.
    pub dim: Option<i64>,
    /// Horizon in blocks, if `challenge_meta` has it.
    pub blocks_ahead: Option<i64>,
    /// Rows stored.
    pub rows: u64,
    /// First and last `sidx`.
    pub sidx: Option<(Sidx, Sidx)>,
}

impl Ledger {
    /// Every ticker that has rows or is declared, by name.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn tickers(&self) -> Result<Vec<Ticker>, LedgerError> {
        let sql = "SELECT t.ticker, m.dim, m.blocks_ahead, COALESCE(d.n, 0), d.low, d.high
            FROM (SELECT ticker FROM challenge_meta UNION SELECT ticker FROM challenge_data) t
            LEFT JOIN challenge_meta m ON m.ticker = t.ticker
            LEFT JOIN (SELECT ticker, COUNT(*) n, MIN(sidx) low, MAX(sidx) high FROM challenge_data GROUP BY ticker) d
                ON d.ticker = t.ticker
            ORDER BY t.ticker";
        self.list("challenge_meta and challenge_data", sql, |row| {
            let (low, high): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
            Ok(Ticker {
                ticker: row.get(0)?,
                dim: row.get(1)?,
                blocks_ahead: row.get(2)?,
                rows: row.get::<_, i64>(3)?.cast_unsigned(),
                sidx: low.map(Sidx).zip(high.map(Sidx)),
            })
        })
    }

    /// Every sampled block, in the order of sampling.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn blocks(&self) -> Result<Vec<Block>, LedgerError> {
        self.list("blocks", "SELECT block FROM blocks ORDER BY idx", |row| row.get(0).map(Block))
    }

    /// How many blocks were sampled.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn sampled_blocks(&self) -> Result<u64, LedgerError> {
        self.one("blocks", "SELECT COUNT(*) FROM blocks", []).map(i64::cast_unsigned)
    }

    /// The highest sampled block; `None` in an empty ledger.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_block(&self) -> Result<Option<Block>, LedgerError> {
        let last: Option<i64> = self.one("blocks", "SELECT MAX(block) FROM blocks", [])?;
        Ok(last.map(Block))
    }

    /// The lowest sampled block; `None` in an empty ledger.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn first_block(&self) -> Result<Option<Block>, LedgerError> {
        let first: Option<i64> = self.one("blocks", "SELECT MIN(block) FROM blocks", [])?;
        Ok(first.map(Block))
    }

    /// The highest `sidx` of a ticker; `None` if it has no rows.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn max_sidx(&self, ticker: &str) -> Result<Option<Sidx>, LedgerError> {
        let sql = "SELECT MAX(sidx) FROM challenge_data WHERE ticker = ?1";
        let last: Option<i64> = self.one("challenge_data", sql, [ticker])?;
        Ok(last.map(Sidx))
    }

    /// The `sidx` of a ticker's rows in a range, in order.
    pub fn sidx(&self, ticker: &str, range: RangeInclusive<Sidx>) -> Result<Vec<Sidx>, LedgerError> {
        let sql =
            "SELECT sidx FROM challenge_data WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3 ORDER BY sidx";
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| {
                query
                    .query_map((ticker, range.start().0, range.end().0), |row| row.get(0).map(Sidx))?
                    .collect()
            })
            .map_err(|e| LedgerError::sqlite(&self.path, format!("the rows of {ticker}"), e))
    }

    /// Holds one moment of the file: until the guard is dropped, nothing is seen that is written from now on.
    pub fn freeze(&self) -> Result<rusqlite::Transaction<'_>, LedgerError> {
        self.conn.unchecked_transaction().map_err(|e| LedgerError::sqlite(&self.path, "starting to read", e))
    }

    /// The network's breakout state: asset and JSON text, by asset. Empty where the file has no such table.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn breakout_state(&self) -> Result<Vec<(String, String)>, LedgerError> {
        if !schema::has_table(&self.conn, &self.path, "breakout_state")? {
            return Ok(Vec::new());
        }
        let sql = "SELECT asset, state_json FROM breakout_state ORDER BY asset";
        self.list("breakout_state", sql, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The block of each hotkey's first stored vector, in any ticker, that is not all zero. What is kept in a folder of
    /// histories is taken from there; of what is not, every row is read.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn first_seen(
        &self,
        histories: Option<&Path>,
        sample_every: u32,
    ) -> Result<BTreeMap<String, Block>, LedgerError> {
        let mut first = BTreeMap::new();
        for Ticker { ticker, .. } in self.tickers()? {
            // A history that cannot be read is as good as none.
            let kept = histories.and_then(|folder| {
                let history = KeptHistory::take_existing(folder, &ticker).ok()??;
                history.first_seen(self, &ticker).ok()?
            });
            let (kept, from) = kept.map_or((BTreeMap::new(), Sidx::MIN), |kept| (kept.first, kept.last + 1));
            for (hotkey, sidx) in kept.into_iter().chain(self.first_of(&ticker, from)?) {
                first.entry(hotkey).and_modify(|known: &mut Sidx| *known = sidx.min(*known)).or_insert(sidx);
            }
        }
        Ok(first.into_iter().map(|(hotkey, sidx)| (hotkey, sidx.block(sample_every))).collect())
    }

    /// The hotkeys with a vector in a ticker's rows up to one, sorted as byte strings. Every row is read.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn hotkeys(&self, ticker: &str, last: Sidx) -> Result<Vec<String>, LedgerError> {
        let mut names = Directory::default();
        let length = self.any_length(ticker)?;
        self.scan(Columns::Submissions, ticker, Sidx::MIN..=last, length, |row: Row<'_>| {
            names.rewind();
            for (hotkey, _) in row.submissions {
                names.number(hotkey);
            }
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        })?;
        Ok(names.sorted().iter().map(|(name, _)| name.clone()).collect())
    }

    /// The first row of each hotkey in a ticker's rows from one on whose vector is not all zero.
    fn first_of(&self, ticker: &str, from: Sidx) -> Result<Vec<(String, Sidx)>, LedgerError> {
        let mut names = Directory::default();
        let mut first: Vec<Option<Sidx>> = Vec::new();
        let length = self.any_length(ticker)?;
        self.scan(Columns::Submissions, ticker, from..=Sidx::MAX, length, |row: Row<'_>| {
            names.rewind();
            for (hotkey, numbers) in row.submissions {
                let number = names.number(hotkey);
                if number == first.len() {
                    first.push(None);
                }
                if first[number].is_none() && is_nonzero(numbers, row.submissions.storage()) {
                    first[number] = Some(row.sidx);
                }
            }
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        })?;
        let found = |(name, number): &(String, usize)| Some((name.clone(), first[*number]?));
        Ok(names.sorted().iter().filter_map(found).collect())
    }

    /// One value of one row.
    fn one<T: rusqlite::types::FromSql>(
        &self,
        table: &str,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<T, LedgerError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_row(params, |row| row.get(0)))
            .map_err(|e| LedgerError::sqlite(&self.path, format!("the table {table}"), e))
    }

    /// All rows of a query.
    pub(super) fn list<T>(
        &self,
        table: &str,
        sql: &str,
        row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut query| query.query_map([], row)?.collect())
            .map_err(|e| LedgerError::sqlite(&self.path, format!("the table {table}"), e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewRow, SampledBlock};

    fn step(k: i64) -> SampledBlock {
        let row = NewRow { ticker: "A".into(), ..NewRow::default() };
        SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![row] }
    }

    #[test]
    fn a_frozen_ledger_does_not_move() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut writer = Ledger::open(&path).unwrap();
        writer.append(&step(1)).unwrap();
        let reader = Ledger::read(&path).unwrap();
        let moment = reader.freeze().unwrap();
        assert_eq!(reader.last_block().unwrap(), Some(Block(5)));
        writer.append(&step(2)).unwrap();
        assert_eq!(reader.last_block().unwrap(), Some(Block(5)));
        drop(moment);
        assert_eq!(reader.last_block().unwrap(), Some(Block(10)));
    }

    #[test]
    fn what_a_network_file_lacks_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let writer = Ledger::open(&path).unwrap();
        writer.raw().execute_batch("DROP TABLE breakout_state; DROP TABLE host_weights").unwrap();
        let reader = Ledger::read(&path).unwrap();
        assert_eq!(reader.breakout_state().unwrap(), []);
        assert_eq!(reader.previous_weights().unwrap(), None);
        assert_eq!(reader.tickers().unwrap(), []);
        assert_eq!(reader.first_seen(None, 5).unwrap(), BTreeMap::new());
    }
}
