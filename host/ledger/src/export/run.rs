//! Exports tables of a ledger, one file each.

use super::batch::{Batch, Value};
use super::file::Writer;
use super::rows::{self, Wanted};
use super::{ExportError, Format, Table};
use crate::Ledger;
use crate::blob::Length;
use mantis_config::Block;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What to export, and to where.
#[derive(Clone, Debug)]
pub struct Export {
    /// The ledger; it is only read.
    pub ledger: PathBuf,
    /// A folder, which is made where it is not there; or, for one table, a file whose name ends as its format's do.
    pub out: PathBuf,
    /// The form; `None` is what the file's name says, else Parquet.
    pub format: Option<Format>,
    /// The tables; empty for all that the ledger has.
    pub tables: Vec<Table>,
    /// The tickers of tables that have them; empty for all.
    pub tickers: Vec<String>,
    /// Numbers of a miner's vector, by ticker: tells half floats from single precision where the ledger does not.
    pub dims: BTreeMap<String, usize>,
    /// First and last block.
    pub blocks: RangeInclusive<Block>,
    /// Whether files that are there are replaced.
    pub force: bool,
}

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The files, in the order of the tables.
    pub tables: Vec<Written>,
    /// Tables that the ledger does not have.
    pub missing: Vec<&'static str>,
    /// Tickers whose vectors were taken for half floats, as neither the ledger nor [`Export::dims`] says it.
    pub assumed: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The table.
    pub table: &'static str,
    /// Its file.
    pub file: PathBuf,
    /// Rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Export {
    /// Writes the files, each under its name only when it is whole; `progress` hears of each table's part that is done,
    /// 0 to 1. All are of the same moment of the ledger.
    ///
    /// # Errors
    /// [`ExportError`]; files that were finished before stay.
    pub fn run(&self, mut progress: impl FnMut(Table, f64)) -> Result<Exported, ExportError> {
        let ledger = Ledger::read(&self.ledger)?;
        let _moment = ledger.freeze()?;
        let mut exported = Exported::default();
        let mut tables = Vec::new();
        let asked = if self.tables.is_empty() { &Table::ALL[..] } else { &self.tables };
        for &table in asked {
            if ledger.has(table.source())? {
                tables.push(table);
            } else if self.tables.is_empty() {
                exported.missing.push(table.as_str());
            } else {
                let why = "the validator makes it when it first writes the ledger";
                return Err(ExportError::Lacks { ledger: self.ledger.clone(), table: table.as_str(), why });
            }
        }
        tables.sort_unstable();
        tables.dedup();
        let wanted = self.wanted(&ledger)?;
        if tables.contains(&Table::Submissions) {
            let unknown = wanted.tickers.iter().filter(|(_, length)| **length == Length::Any(None));
            exported.assumed = unknown.map(|(ticker, _)| ticker.clone()).collect();
        }
        let places = self.places(&tables)?;
        for (table, (path, format)) in tables.into_iter().zip(places) {
            let mut batch = Batch::new(table.columns());
            let mut writer = Writer::create(&path, format, batch.schema())?;
            let mut rows = 0;
            let refused = |error: arrow_schema::ArrowError| ExportError::Format {
                path: path.clone(),
                reason: error.to_string(),
            };
            let mut push = |row: &[Value<'_>]| -> Result<(), ExportError> {
                batch.push(row);
                rows += 1;
                if batch.is_full() {
                    writer.write(&batch.take().map_err(refused)?)?;
                }
                Ok(())
            };
            rows::read(table, &ledger, &wanted, &mut push, &mut |done| progress(table, done))?;
            if batch.rows() > 0 {
                writer.write(&batch.take().map_err(refused)?)?;
            }
            let bytes = writer.finish(self.force)?;
            progress(table, 1.0);
            exported.tables.push(Written { table: table.as_str(), file: path, rows, bytes });
        }
        Ok(exported)
    }

    fn wanted(&self, ledger: &Ledger) -> Result<Wanted, ExportError> {
        let known: Vec<String> = ledger.tickers()?.into_iter().map(|ticker| ticker.ticker).collect();
        if let Some(ticker) = self.tickers.iter().find(|ticker| !known.contains(ticker)) {
            let (ledger, ticker) = (self.ledger.clone(), ticker.clone());
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(ExportError::NoTicker { ledger, ticker, known });
        }
        let mut tickers = BTreeMap::new();
        for ticker in known.into_iter().filter(|t| self.tickers.is_empty() || self.tickers.contains(t)) {
            let length = match ledger.any_length(&ticker)? {
                Length::Any(None) => Length::Any(self.dims.get(&ticker).copied()),
                known => known,
            };
            tickers.insert(ticker, length);
        }
        let every = rows::every(ledger)?;
        Ok(Wanted { blocks: self.blocks.clone(), tickers, all_tickers: self.tickers.is_empty(), every })
    }

    /// Each table's file and form. None is there already, unless it may be replaced.
    fn places(&self, tables: &[Table]) -> Result<Vec<(PathBuf, Format)>, ExportError> {
        let named = Format::from_path(&self.out).filter(|_| !self.out.is_dir());
        let places: Vec<(PathBuf, Format)> = match (named, tables) {
            (Some(format), [_]) => vec![(self.out.clone(), self.format.unwrap_or(format))],
            (Some(_), several) => {
                return Err(ExportError::OneFile { path: self.out.clone(), tables: several.len() });
            }
            (None, tables) => {
                let format = self.format.unwrap_or_default();
                let place =
                    |table: &Table| self.out.join(format!("{}.{}", table.as_str(), format.extension()));
                tables.iter().map(|table| (place(table), format)).collect()
            }
        };
        if let Some((path, _)) = places.iter().find(|(path, _)| path.exists() && !self.force) {
            return Err(ExportError::Exists { path: path.clone() });
        }
        let folder = if named.is_some() { self.out.parent().unwrap_or(Path::new("")) } else { &self.out };
        if !folder.as_os_str().is_empty() {
            std::fs::create_dir_all(folder)
                .map_err(|source| ExportError::Io { path: folder.into(), source })?;
        }
        Ok(places)
    }
}
