//! Two ledgers side by side, day by day and challenge by challenge.

use super::difference::{Content, difference, digest};
use super::form::Day;
use crate::blob::Length;
use crate::rows::Columns;
use crate::{Ledger, LedgerError, Row};
use mantis_config::{Block, Sidx};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, RangeInclusive};

/// Hotkeys of a day that are named.
const NAMED: usize = 20;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Only these challenges; empty: all of either ledger.
    pub tickers: BTreeSet<String>,
    /// Only these blocks.
    pub blocks: RangeInclusive<Block>,
}

/// Rows of one challenge, or blocks, of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayCounts {
    /// In the first ledger only.
    pub only_a: u64,
    /// In the second only.
    pub only_b: u64,
    /// The same in both.
    pub equal: u64,
    /// In both, and not the same.
    pub different: u64,
    /// Of them, those whose prices differ.
    pub prices: u64,
    /// Of them, those whose vectors differ.
    pub vectors: u64,
    /// Hotkeys whose vectors differ, the first twenty.
    pub hotkeys: BTreeSet<String>,
}

impl DayCounts {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.only_a + self.only_b + self.different == 0
    }
}

/// A row, or a block, that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its block.
    pub block: Block,
    /// Its challenge; none for a block.
    pub ticker: Option<String>,
    /// In what, as a phrase.
    pub what: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerComparison {
    /// Counts by day, then by ticker; the blocks themselves have the empty one.
    pub days: BTreeMap<i64, BTreeMap<String, DayCounts>>,
    /// SHA-256 of what the rows of each of the two mean, hexadecimal.
    pub digests: [String; 2],
    /// What differs first.
    pub first: Option<Example>,
}

impl LedgerComparison {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.days.values().flat_map(BTreeMap::values).all(DayCounts::is_equal)
    }

    /// The counts of all days and challenges together, blocks left out.
    #[must_use]
    pub fn total(&self) -> DayCounts {
        let mut sum = DayCounts::default();
        let rows = self.days.values().flatten().filter(|(ticker, _)| !ticker.is_empty());
        for (_, counts) in rows {
            sum.only_a += counts.only_a;
            sum.only_b += counts.only_b;
            sum.equal += counts.equal;
            sum.different += counts.different;
            sum.prices += counts.prices;
            sum.vectors += counts.vectors;
        }
        sum
    }

    fn counts(&mut self, day: Day, ticker: &str) -> &mut DayCounts {
        let day = self.days.entry(day.0).or_default();
        if !day.contains_key(ticker) {
            day.insert(ticker.to_owned(), DayCounts::default());
        }
        day.entry(ticker.to_owned()).or_default()
    }

    fn example(&mut self, block: Block, ticker: &str, what: impl FnOnce() -> String) {
        if self.first.as_ref().is_none_or(|first| block < first.block) {
            let ticker = (!ticker.is_empty()).then(|| ticker.to_owned());
            self.first = Some(Example { block, ticker, what: what() });
        }
    }
}

impl Comparison {
    /// Compares two ledgers, each as it is at one moment; `progress` hears which part is done, 0 to 1.
    ///
    /// # Errors
    /// If one of them cannot be read, or a row of it is not what was stored.
    pub fn run(
        &self,
        a: &Ledger,
        b: &Ledger,
        mut progress: impl FnMut(f64),
    ) -> Result<LedgerComparison, LedgerError> {
        let _moments = (a.freeze()?, b.freeze()?);
        let mut found = LedgerComparison::default();
        self.blocks(a, b, &mut found)?;
        let tickers = self.tickers(a, b)?;
        let mut digests = [Sha256::new(), Sha256::new()];
        for (done, (ticker, (first, last))) in tickers.iter().enumerate() {
            progress(done as f64 / tickers.len() as f64);
            digests.iter_mut().for_each(|digest| digest.update(format!("{ticker:?}")));
            let mut day = Day::of(first.block(self.sample_every));
            while day.first() <= last.block(self.sample_every) {
                self.day(a, b, ticker, day, &mut digests, &mut found)?;
                // From one day to the next with rows: two ledgers may lie years apart.
                let after = (*day.rows(self.sample_every).end() + 1)
                    .max(day.rows(self.sample_every).start().to_owned());
                let next =
                    [next_row(a, ticker, after)?, next_row(b, ticker, after)?].into_iter().flatten().min();
                match next {
                    Some(next) => day = Day::of(next.block(self.sample_every)),
                    None => break,
                }
            }
        }
        progress(1.0);
        found.digests = digests.map(|digest| hex::encode(digest.finalize()));
        Ok(found)
    }

    /// The challenges of either, with their first and last rows.
    fn tickers(&self, a: &Ledger, b: &Ledger) -> Result<BTreeMap<String, (Sidx, Sidx)>, LedgerError> {
        let mut all: BTreeMap<String, (Sidx, Sidx)> = BTreeMap::new();
        for ticker in a.tickers()?.into_iter().chain(b.tickers()?) {
            let Some((first, last)) = ticker.sidx else { continue };
            if !self.tickers.is_empty() && !self.tickers.contains(&ticker.ticker) {
                continue;
            }
            let rows = self.rows();
            let (first, last) = (first.max(*rows.start()), last.min(*rows.end()));
            if first <= last {
                let range = all.entry(ticker.ticker).or_insert((first, last));
                *range = (range.0.min(first), range.1.max(last));
            }
        }
        Ok(all)
    }

    /// The rows whose blocks are compared.
    fn rows(&self) -> RangeInclusive<Sidx> {
        let first = (*self.blocks.start() - 1).sidx(self.sample_every) + 1;
        first..=self.blocks.end().sidx(self.sample_every)
    }

    fn blocks(&self, a: &Ledger, b: &Ledger, found: &mut LedgerComparison) -> Result<(), LedgerError> {
        let set = |ledger: &Ledger| -> Result<BTreeSet<Block>, LedgerError> {
            Ok(ledger.blocks()?.into_iter().filter(|block| self.blocks.contains(block)).collect())
        };
        let (a, b) = (set(a)?, set(b)?);
        for block in a.union(&b) {
            let counts = found.counts(Day::of(*block), "");
            match (a.contains(block), b.contains(block)) {
                (true, true) => counts.equal += 1,
                (true, false) => counts.only_a += 1,
                _ => counts.only_b += 1,
            }
            if a.contains(block) != b.contains(block) {
                let which = if a.contains(block) { "first" } else { "second" };
                found.example(*block, "", || format!("the block is in the {which} ledger only"));
            }
        }
        Ok(())
    }

    fn day(
        &self,
        a: &Ledger,
        b: &Ledger,
        ticker: &str,
        day: Day,
        digests: &mut [Sha256; 2],
        found: &mut LedgerComparison,
    ) -> Result<(), LedgerError> {
        let (rows, of_day) = (self.rows(), day.rows(self.sample_every));
        let range = *rows.start().max(of_day.start())..=*rows.end().min(of_day.end());
        let (a, b) = (read(a, ticker, range.clone())?, read(b, ticker, range)?);
        for (side, digest_of) in [&a, &b].into_iter().zip(digests) {
            side.iter().for_each(|(sidx, row)| digest(row.content(), *sidx, digest_of));
        }
        let all: BTreeSet<Sidx> = a.keys().chain(b.keys()).copied().collect();
        for sidx in all {
            let block = sidx.block(self.sample_every);
            let (one, other) = match (a.get(&sidx), b.get(&sidx)) {
                (Some(one), Some(other)) => (one, other),
                (Some(_), None) => {
                    found.counts(day, ticker).only_a += 1;
                    found.example(block, ticker, || "the row is in the first ledger only".into());
                    continue;
                }
                _ => {
                    found.counts(day, ticker).only_b += 1;
                    found.example(block, ticker, || "the row is in the second ledger only".into());
                    continue;
                }
            };
            let differs = difference(one.content(), other.content());
            let counts = found.counts(day, ticker);
            if differs.is_none() {
                counts.equal += 1;
                continue;
            }
            counts.different += 1;
            counts.prices += u64::from(!differs.prices.is_empty());
            counts.vectors += u64::from(!differs.hotkeys.is_empty());
            let room = NAMED.saturating_sub(counts.hotkeys.len());
            counts.hotkeys.extend(differs.hotkeys.iter().take(room).cloned());
            found.example(block, ticker, || {
                let named = |what: &str, names: &[String]| {
                    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                    let more = names.len().saturating_sub(3);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    (!names.is_empty()).then(|| format!("{what} of {shown}{more}"))
                };
                let parts = [named("prices", &differs.prices), named("vectors", &differs.hotkeys)];
                parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
            });
        }
        Ok(())
    }
}

/// A row that is held.
struct Held {
    price: Option<f64>,
    price_data: Option<String>,
    blob: Vec<u8>,
}

impl Held {
    fn content(&self) -> Content<'_> {
        Content { price: self.price, price_data: self.price_data.as_deref(), blob: &self.blob }
    }
}

/// The rows of a challenge in a range.
fn read(
    ledger: &Ledger,
    ticker: &str,
    range: RangeInclusive<Sidx>,
) -> Result<BTreeMap<Sidx, Held>, LedgerError> {
    let mut held = BTreeMap::new();
    ledger.scan(Columns::All, ticker, range, Length::Any(None), |row: Row<'_>| {
        let price_data = row.price_data.map(str::to_owned);
        held.insert(row.sidx, Held { price: row.price, price_data, blob: row.blob.to_vec() });
        Ok::<_, LedgerError>(ControlFlow::Continue(()))
    })?;
    Ok(held)
}

/// The first row of a challenge from one on.
fn next_row(ledger: &Ledger, ticker: &str, from: Sidx) -> Result<Option<Sidx>, LedgerError> {
    ledger
        .conn
        .prepare_cached("SELECT MIN(sidx) FROM challenge_data WHERE ticker = ?1 AND sidx >= ?2")
        .and_then(|mut query| query.query_row((ticker, from.0), |row| row.get::<_, Option<i64>>(0)))
        .map(|next| next.map(Sidx))
        .map_err(|e| LedgerError::sqlite(&ledger.path, format!("the rows of {ticker}"), e))
}
