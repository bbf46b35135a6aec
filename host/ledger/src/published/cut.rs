//! Cutting parts from a ledger, which may be written meanwhile.

use super::error::PublishedError;
use super::form::{Day, LARGEST_PRICE, LONGEST_BLOB, LONGEST_TEXT, PartContents, PartHead, PartRow};
use super::packed::{PackedFile, finish, pack};
use super::write::PartWriter;
use crate::blob::Length;
use crate::rows::Columns;
use crate::{Ledger, LedgerError, Row};
use mantis_config::{Block, Sidx};
use rusqlite::OptionalExtension;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

impl Ledger {
    /// The first block of which a payload waits to be opened, with others or alone; `None` if none waits. What is stored before
    /// it does not change any more.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn first_waiting(&self) -> Result<Option<Block>, LedgerError> {
        if !self.has("raw_payloads")? {
            return Ok(None);
        }
        let sql =
            "SELECT MIN(block) FROM blocks WHERE EXISTS (SELECT 1 FROM raw_payloads r WHERE r.ts = idx)";
        let first = self.conn.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional();
        first
            .map(|first| first.flatten().map(Block))
            .map_err(|e| LedgerError::sqlite(&self.path, "the table raw_payloads", e))
    }

    /// The days of which there are blocks, or rows of these challenges, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn days(&self, tickers: &BTreeSet<String>, sample_every: u32) -> Result<Vec<Day>, LedgerError> {
        let mut days = BTreeSet::new();
        let sql = format!("SELECT DISTINCT block / {} FROM blocks WHERE block >= 0", Day::BLOCKS);
        days.extend(self.list("blocks", &sql, |row| row.get(0).map(Day))?);
        for ticker in tickers {
            let rows = self.sidx(ticker, Sidx(0)..=Sidx::MAX)?;
            days.extend(rows.into_iter().map(|sidx| Day::of(sidx.block(sample_every))));
        }
        Ok(days.into_iter().collect())
    }

    /// What tells whether a part would be the same as another time, without reading its rows: their checksums. `None` where rows
    /// have none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn part_stamp(
        &self,
        head: PartHead,
        tickers: &BTreeSet<String>,
    ) -> Result<Option<[u8; 32]>, LedgerError> {
        let _moment = self.freeze()?;
        let range = head.day.rows(head.sample_every);
        let mut hash = Sha256::new();
        hash.update(format!("{head:?}"));
        for block in self.blocks_in(head)? {
            hash.update(block.0.to_le_bytes());
        }
        if !self.has("host_sums")? {
            return Ok(None);
        }
        let sql = "SELECT sidx, prices, vectors FROM host_sums WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3 ORDER BY sidx";
        for ticker in tickers {
            let rows = self.sidx(ticker, range.clone())?;
            let mut summed = Vec::with_capacity(rows.len());
            self.each("host_sums", sql, (ticker, range.start().0, range.end().0), |row| {
                let read = || Ok((Sidx(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
                let sums = read().map_err(|e| LedgerError::sqlite(&self.path, "the table host_sums", e))?;
                summed.push(sums);
                Ok::<_, LedgerError>(())
            })?;
            if !rows.iter().eq(summed.iter().map(|(sidx, ..)| sidx)) {
                return Ok(None);
            }
            hash.update(format!("{ticker:?}{}", summed.len()));
            for (sidx, prices, vectors) in summed {
                [sidx.0, prices, vectors].iter().for_each(|number| hash.update(number.to_le_bytes()));
            }
        }
        Ok(Some(hash.finalize().into()))
    }

    /// Writes a part into a packed file: its blocks, and its rows of these challenges. `None`, and no file, where there is nothing
    /// of it. Files beside the ledger are read too if they are [attached](Ledger::attach_sides).
    ///
    /// # Errors
    /// If the ledger cannot be read, or a row of it is not what was stored; if the file cannot be written.
    pub fn write_part(
        &self,
        head: PartHead,
        tickers: &BTreeSet<String>,
        to: &Path,
    ) -> Result<Option<(PartContents, PackedFile)>, PublishedError> {
        let file = PublishedError::file(to);
        let _moment = self.freeze()?;
        let blocks = self.blocks_in(head)?;
        let mut writer = PartWriter::begin(pack(to).map_err(&file)?, head, &blocks).map_err(&file)?;
        for ticker in tickers {
            let rows = head.day.rows(head.sample_every);
            self.scan(Columns::All, ticker, rows, Length::Any(None), |row: Row<'_>| {
                writer.row(&publishable(ticker, &row)).map_err(&file)?;
                Ok::<_, PublishedError>(ControlFlow::Continue(()))
            })?;
        }
        let (packer, contents) = writer.end().map_err(&file)?;
        let packed = finish(packer).map_err(&file)?;
        if contents.first.is_none() {
            std::fs::remove_file(to).map_err(&file)?;
            return Ok(None);
        }
        Ok(Some((contents, packed)))
    }

    fn blocks_in(&self, head: PartHead) -> Result<Vec<Block>, LedgerError> {
        let PartHead { day, sample_every, .. } = head;
        let mut blocks = Vec::new();
        let sql = "SELECT DISTINCT block FROM blocks WHERE block BETWEEN ?1 AND ?2 ORDER BY block";
        self.each("blocks", sql, (day.first().0, day.last().0), |row| {
            let block = row.get(0).map_err(|e| LedgerError::sqlite(&self.path, "the table blocks", e))?;
            blocks.push(Block(block));
            Ok::<_, LedgerError>(())
        })?;
        blocks.retain(|block| day.has(*block, sample_every));
        Ok(blocks)
    }
}

/// A row as it is published: what no reader would take is left out of it, as scoring leaves it out.
fn publishable<'a>(ticker: &'a str, row: &Row<'a>) -> PartRow<'a> {
    let names = memchr::memchr(0, row.blob);
    let is_blob = row.blob.len() <= LONGEST_BLOB && names.is_some_and(|end| end <= LONGEST_TEXT);
    PartRow {
        ticker,
        sidx: row.sidx,
        price: row.price.filter(|price| price.abs() <= LARGEST_PRICE),
        price_data: row.price_data.filter(|text| text.len() <= LONGEST_TEXT),
        blob: if is_blob { row.blob } else { &[] },
    }
}
