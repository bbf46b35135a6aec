//! Taking a part into a ledger: what was sampled here stays as it is.

use super::difference::{Content, Difference, difference};
use super::error::{PartRejection, PublishedError};
use super::form::{PartHead, PartItem, PartRow};
use super::packed::{ListedFile, unpack};
use super::read::walk;
use super::room;
use crate::rows::{as_price, as_price_data};
use crate::{Ledger, LedgerError, sums};
use mantis_config::{Block, Sidx};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rows that differ of which one part's [`Merged`] tells.
const TOLD: usize = 20;

/// Where a part comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who published it, SS58.
    pub publisher: String,
    /// The number of the list that it stands in.
    pub number: u32,
    /// Whether nothing of it waits to be opened.
    pub is_final: bool,
    /// When it is taken, Unix seconds.
    pub unix: u64,
    /// Numbers per miner and asset, and the horizon in blocks, by ticker.
    pub challenges: BTreeMap<String, (u32, u32)>,
}

/// What became of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Blocks that were not there.
    pub blocks: u64,
    /// Rows that were taken.
    pub rows: u64,
    /// Of them, those that came in the place of others which had been fetched before.
    pub again: u64,
    /// Rows that are here and the same.
    pub equal: u64,
    /// Rows of blocks that were sampled here, or fetched from somebody else, that differ, and stayed as they are.
    pub different: u64,
    /// Rows of such blocks that are not here, and were not taken.
    pub only_theirs: u64,
    /// Rows whose payloads wait here to be opened.
    pub waiting: u64,
    /// The first of those that differ.
    pub examples: Vec<Disagreement>,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Its challenge.
    pub ticker: String,
    /// Its block.
    pub block: Block,
    /// Prices that differ: assets, or `price`.
    pub prices: Vec<String>,
    /// Hotkeys whose vectors differ.
    pub hotkeys: Vec<String>,
}

impl Ledger {
    /// Takes a part into the ledger, in one transaction, once the whole file was found to be the listed one. Blocks that were
    /// sampled here stay as they are, with all their rows; so do those that were fetched before, unless that part was not final
    /// or of the same publisher: then rows that were fetched are replaced by those that are in this one. Checksums are made for what is taken.
    ///
    /// # Errors
    /// [`PublishedError::Rejected`] for a file that is not the listed one or no part; if the ledger cannot be written. It is as
    /// it was then.
    pub fn merge_part(
        &mut self,
        file: &Path,
        head: PartHead,
        listed: &ListedFile,
        origin: &Origin,
    ) -> Result<Merged, PublishedError> {
        verify(file, head, listed)?;
        let path = self.path.clone();
        let fail = |e| LedgerError::sqlite(&path, format!("merging the part {}", head.day.0), e);
        self.check_in_place()?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let mut merging = Merging::begin(&tx, head, origin).map_err(fail)?;
        let walked = walk(unpack(file)?, head, listed.bytes, |item| {
            let done = match item {
                PartItem::Block(block) => merging.block(block),
                PartItem::Row(row) => merging.row(&row),
            };
            done.map_err(MergeError::Sqlite)
        });
        let contents = walked.map_err(|error| match error {
            MergeError::Sqlite(error) => PublishedError::from(fail(error)),
            MergeError::Rejected(rejection) => PublishedError::rejected(file)(rejection),
        })?;
        // The file may have been changed since it was verified.
        listed.check_content(contents.sha256, contents.bytes).map_err(PublishedError::rejected(file))?;
        let merged = merging.end(&hex::encode(listed.content)).map_err(fail)?;
        tx.commit().map_err(fail)?;
        Ok(merged)
    }
}

/// Whether a file is the listed one and a part.
fn verify(file: &Path, head: PartHead, listed: &ListedFile) -> Result<(), PublishedError> {
    listed.check(file)?;
    let rejected = PublishedError::rejected(file);
    let contents =
        walk(unpack(file)?, head, listed.bytes, |_| Ok::<_, PartRejection>(())).map_err(&rejected)?;
    listed.check_content(contents.sha256, contents.bytes).map_err(rejected)
}

enum MergeError {
    Sqlite(rusqlite::Error),
    Rejected(PartRejection),
}

impl From<PartRejection> for MergeError {
    fn from(rejection: PartRejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// A part on its way into the ledger.
struct Merging<'a> {
    conn: &'a Connection,
    head: PartHead,
    origin: &'a Origin,
    /// Blocks that the ledger has.
    known: BTreeSet<Block>,
    /// Rows that stay as they are.
    here: BTreeSet<Sidx>,
    /// Rows that were fetched, and are replaced.
    replaced: BTreeSet<Sidx>,
    /// Rows whose payloads wait.
    waiting: BTreeSet<Sidx>,
    /// Blocks that are to be stored.
    new: Vec<Block>,
    merged: Merged,
    ticker: String,
    /// Whether what is there of this day is of nobody else.
    may_replace: bool,
}

impl<'a> Merging<'a> {
    fn begin(conn: &'a Connection, head: PartHead, origin: &'a Origin) -> rusqlite::Result<Self> {
        let PartHead { day, sample_every, .. } = head;
        let rows = day.rows(sample_every);
        let before: Option<(String, bool)> = conn
            .prepare_cached("SELECT publisher, is_final FROM host_parts WHERE day = ?1")?
            .query_row([day.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let may_replace =
            before.is_none_or(|(publisher, is_final)| publisher == origin.publisher || !is_final);
        let tickers = tickers(conn)?;
        let blocks = "SELECT DISTINCT block FROM blocks WHERE block BETWEEN ?1 AND ?2";
        let known: BTreeSet<Block> =
            numbers(conn, blocks, (day.first().0, day.last().0))?.into_iter().map(Block).collect();
        let mut here: BTreeSet<Sidx> = known.iter().map(|block| block.sidx(sample_every)).collect();
        for ticker in &tickers {
            let sql = "SELECT sidx FROM main.challenge_data WHERE ticker = ?1 AND sidx BETWEEN ?2 AND ?3";
            here.extend(numbers(conn, sql, (ticker, rows.start().0, rows.end().0))?.into_iter().map(Sidx));
        }
        let mut fetched = BTreeSet::new();
        if may_replace {
            let sql = "SELECT sidx FROM host_fetched WHERE sidx BETWEEN ?1 AND ?2";
            fetched.extend(numbers(conn, sql, (rows.start().0, rows.end().0))?.into_iter().map(Sidx));
            here.retain(|sidx| !fetched.contains(sidx));
        }
        let waiting = "SELECT block FROM blocks WHERE block BETWEEN ?1 AND ?2
            AND EXISTS (SELECT 1 FROM raw_payloads r WHERE r.ts = idx)";
        let waiting = numbers(conn, waiting, (day.first().0, day.last().0))?;
        let waiting = waiting.into_iter().map(|block| Block(block).sidx(sample_every)).collect();
        let (new, merged, ticker) = (Vec::new(), Merged::default(), String::new());
        Ok(Self {
            conn,
            head,
            origin,
            known,
            here,
            replaced: fetched,
            waiting,
            new,
            merged,
            ticker,
            may_replace,
        })
    }

    fn block(&mut self, block: Block) -> rusqlite::Result<()> {
        // A block of which rows are here was sampled here, and its place forgotten.
        if !self.known.contains(&block) && !self.here.contains(&block.sidx(self.head.sample_every)) {
            self.new.push(block);
        }
        Ok(())
    }

    /// Stores the blocks, once all of them are known.
    fn store_blocks(&mut self) -> rusqlite::Result<()> {
        let new = std::mem::take(&mut self.new);
        room::insert(self.conn, &new, self.head.sample_every)?;
        self.merged.blocks += new.len() as u64;
        new.iter().try_for_each(|block| self.fetched(block.sidx(self.head.sample_every)))
    }

    fn fetched(&self, sidx: Sidx) -> rusqlite::Result<()> {
        let sql = "INSERT OR IGNORE INTO host_fetched (sidx) VALUES (?1)";
        self.conn.prepare_cached(sql)?.execute([sidx.0]).map(drop)
    }

    fn row(&mut self, row: &PartRow<'_>) -> rusqlite::Result<()> {
        if !self.new.is_empty() {
            self.store_blocks()?;
        }
        let is_ours = self.here.contains(&row.sidx);
        if !is_ours && !self.replaced.contains(&row.sidx) {
            self.merged.rows += 1;
            return self.store(row);
        }
        match (stored_difference(self.conn, row)?, is_ours) {
            (None, true) => self.merged.only_theirs += 1,
            (Some(found), _) if found.is_none() => self.merged.equal += 1,
            (Some(found), true) => self.tell(row, found),
            (found, false) => {
                self.merged.again += u64::from(found.is_some());
                self.merged.rows += 1;
                self.store(row)?;
            }
        }
        Ok(())
    }

    fn store(&mut self, row: &PartRow<'_>) -> rusqlite::Result<()> {
        let PartRow { ticker, sidx, price, price_data, blob } = *row;
        if self.ticker != ticker {
            ticker.clone_into(&mut self.ticker);
            let (dim, ahead) = self.origin.challenges.get(ticker).copied().unwrap_or_default();
            self.conn
                .prepare_cached(
                    "INSERT OR IGNORE INTO challenge_meta (ticker, dim, blocks_ahead) VALUES (?1, ?2, ?3)",
                )?
                .execute((ticker, dim, ahead))?;
        }
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO main.challenge_data (ticker, sidx, price, price_data, hotkeys, embeddings)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((ticker, sidx.0, price, price_data, names(blob), blob))?;
        sums::put(self.conn, ticker, sidx.0, sums::of_prices(price, price_data), blob)?;
        self.fetched(sidx)
    }

    /// Counts a row that differs from the one that stays.
    fn tell(&mut self, row: &PartRow<'_>, found: Difference) {
        if found.prices.is_empty() && self.waiting.contains(&row.sidx) {
            self.merged.waiting += 1;
            return;
        }
        self.merged.different += 1;
        if self.merged.examples.len() < TOLD {
            self.merged.examples.push(Disagreement {
                ticker: row.ticker.into(),
                block: row.sidx.block(self.head.sample_every),
                prices: found.prices,
                hotkeys: found.hotkeys,
            });
        }
    }

    fn end(mut self, content: &str) -> rusqlite::Result<Merged> {
        self.store_blocks()?;
        let Origin { publisher, number, is_final, unix, .. } = self.origin;
        let unix = i64::try_from(*unix).unwrap_or(i64::MAX);
        // What stays of another's final part goes on being told as that one's.
        if self.may_replace {
            self.conn.execute(
                "INSERT OR REPLACE INTO host_parts (day, publisher, number, content, is_final, unix)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (self.head.day.0, publisher, number, content, is_final, unix),
            )?;
        }
        Ok(self.merged)
    }
}

/// In what a row differs from the stored one; `None` where there is none.
fn stored_difference(conn: &Connection, row: &PartRow<'_>) -> rusqlite::Result<Option<Difference>> {
    let mut query = conn.prepare_cached(
        "SELECT price, price_data, embeddings FROM main.challenge_data WHERE ticker = ?1 AND sidx = ?2",
    )?;
    let mut found = query.query((row.ticker, row.sidx.0))?;
    let Some(stored) = found.next()? else { return Ok(None) };
    let blob = match stored.get_ref(2)? {
        ValueRef::Blob(blob) | ValueRef::Text(blob) => blob,
        _ => &[],
    };
    let ours = Content {
        price: as_price(stored.get_ref(0)?).unwrap_or(None),
        price_data: as_price_data(stored.get_ref(1)?).unwrap_or(None),
        blob,
    };
    let theirs = Content { price: row.price, price_data: row.price_data, blob: row.blob };
    Ok(Some(difference(ours, theirs)))
}

/// The challenges of which there are rows, found by a few looks into the index.
fn tickers(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let after = all.last().map_or("", String::as_str);
        let next: Option<String> = conn
            .prepare_cached("SELECT MIN(ticker) FROM main.challenge_data WHERE ticker > ?1")?
            .query_row([after], |row| row.get(0))?;
        match next {
            Some(next) => all.push(next),
            None => return Ok(all),
        }
    }
}

fn numbers(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached(sql)?.query_map(params, |row| row.get(0))?.collect()
}

/// The list of hotkeys, which the network's programs look for beside the blob.
fn names(blob: &[u8]) -> &str {
    let end = memchr::memchr(0, blob).unwrap_or(0);
    std::str::from_utf8(&blob[..end]).ok().filter(|names| !names.is_empty()).unwrap_or("[]")
}
