//! Reading the rows of one challenge into the files of a snapshot, in one pass and bounded memory.

use super::SnapshotError;
use super::kept::{State, Store};
use super::manifest::{FORMAT, Manifest, SnapshotPart};
use super::market::{Line, Lines, MarketWriter};
use super::parts::{Part, PartShape, PartsWriter};
use super::request::SnapshotRequest;
use super::seen::seen;
use super::stamps::Stamps;
use crate::{Directory, Ledger, Row, Tally, Warnings};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::FactList;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

/// A snapshot in the making.
pub(super) struct Cut<'a> {
    request: &'a SnapshotRequest,
    dir: &'a Path,
    /// The last `sidx` that may be scored.
    last: Sidx,
    /// The last `sidx` whose row may be kept.
    settled: Sidx,
    /// Where the rows to read begin.
    from: Sidx,
    stamps: Stamps,
    market_file: String,
    market: MarketWriter,
    parts: PartsWriter,
    /// The number of the first file that is written.
    number: u64,
    names: Directory,
    keep_all: bool,
    /// Whether hotkeys are stored, by their numbers.
    stored: Vec<bool>,
    /// The `sidx` of each row of the history.
    rows: Vec<Sidx>,
    /// Rows and parts that may be kept, once the first was met that may not.
    kept: Option<(usize, usize)>,
    /// Assets, then channels.
    columns: Vec<String>,
    prices: Vec<f64>,
    warnings: Warnings,
}

/// What is written where, and from what it goes on.
pub(super) struct Plan<'a> {
    pub(super) dir: &'a Path,
    /// Whether hotkeys are stored too that are no columns.
    pub(super) keep_all: bool,
    /// The name of the market's file.
    pub(super) market: String,
    pub(super) shape: PartShape,
    /// What is kept of rows; nothing if the folder does not stay.
    pub(super) stamps: Stamps,
    /// The last `sidx` whose row may be kept.
    pub(super) settled: Sidx,
    /// What is there.
    pub(super) state: Option<(State, Lines)>,
    /// The number of the next file.
    pub(super) next_file: u64,
}

/// What was made.
pub(super) struct Made {
    /// Whom and what the snapshot holds.
    pub(super) manifest: Manifest,
    /// Its files with their checksums.
    pub(super) files: Vec<(String, u32)>,
    /// What may be kept of it.
    pub(super) store: Store,
    pub(super) warnings: Warnings,
}

impl<'a> Cut<'a> {
    /// Begins with what is there already.
    pub(super) fn begin(request: &'a SnapshotRequest, plan: Plan<'a>) -> Result<Self, SnapshotError> {
        let Plan { dir, keep_all, market: market_file, shape, stamps, settled, state, next_file } = plan;
        let mut cut = Self {
            request,
            dir,
            last: request.last(),
            settled,
            from: Sidx::MIN,
            stamps,
            market: MarketWriter::create(&dir.join(&market_file), &request.assets, &request.channels)?,
            market_file,
            parts: PartsWriter::new(dir, shape, next_file),
            number: next_file,
            names: Directory::default(),
            keep_all,
            stored: Vec::new(),
            rows: Vec::new(),
            kept: None,
            columns: [request.assets.as_slice(), &request.channels].concat(),
            prices: vec![f64::NAN; request.assets.len().max(1) + request.channels.len()],
            warnings: Warnings::default(),
        };
        if let Some((state, lines)) = state {
            cut.resume(state, &lines)?;
        }
        Ok(cut)
    }

    fn resume(&mut self, state: State, lines: &Lines) -> Result<(), SnapshotError> {
        for hotkey in &state.hotkeys {
            self.names.rewind();
            self.names.number(hotkey);
            self.stored.push(true);
        }
        let width = self.prices.len();
        for (line, prices) in lines.lines.iter().zip(lines.prices.chunks_exact(width)) {
            self.rows.push(line.sidx);
            push(&mut self.market, &mut self.warnings, *line, prices)?;
        }
        self.from = self.rows.last().map_or(Sidx::MIN, |last| *last + 1);
        self.parts.resume(state.parts)
    }

    /// Reads all that is not there yet.
    pub(super) fn read(&mut self, ledger: &Ledger) -> Result<(), SnapshotError> {
        self.read_to(ledger, self.last)?;
        // The future: prices alone.
        let source = self.request.source();
        let future = self.from..=self.request.newest();
        if self.from <= *future.end() {
            ledger.prices(source, future, |row: Row<'_>| self.price_row(&row, Line::default()))?;
        }
        Ok(())
    }

    /// Where the rows begin that are not there yet.
    pub(super) fn from(&self) -> Sidx {
        self.from
    }

    /// Reads the rows that may be scored up to one.
    pub(super) fn read_to(&mut self, ledger: &Ledger, to: Sidx) -> Result<(), SnapshotError> {
        let to = to.min(self.last);
        if self.from > to {
            return Ok(());
        }
        let range = self.from..=to;
        match &self.request.price_source {
            Some(source) if *source != self.request.ticker => self.two_tickers(ledger, source, range)?,
            _ => self.one_ticker(ledger, range)?,
        }
        // There is no row behind the last that can be.
        self.from = if to < Sidx::MAX { to + 1 } else { to };
        Ok(())
    }

    /// Prices and submissions of one ticker: one pass.
    fn one_ticker(&mut self, ledger: &Ledger, range: RangeInclusive<Sidx>) -> Result<(), SnapshotError> {
        ledger.rows(&self.request.ticker, range, self.request.storage_dim, |row: Row<'_>| {
            let line = self.submissions(&row)?;
            self.rows.push(row.sidx);
            self.price_row(&row, line)
        })?;
        Ok(())
    }

    /// Prices of another ticker: its rows first, then the submissions, then the prices.
    fn two_tickers(
        &mut self,
        ledger: &Ledger,
        source: &str,
        range: RangeInclusive<Sidx>,
    ) -> Result<(), SnapshotError> {
        let known = ledger.sidx(source, range.clone())?;
        let (first, mut at) = (self.market.rows(), 0);
        let mut lines = vec![Line::default(); known.len()];
        let (ticker, dim) = (&self.request.ticker, self.request.storage_dim);
        ledger.rows(ticker, range.clone(), dim, |row: Row<'_>| {
            while known.get(at).is_some_and(|sidx| *sidx < row.sidx) {
                self.rows.push(known[at]);
                at += 1;
            }
            if known.get(at) == Some(&row.sidx) {
                lines[at] = self.submissions(&row)?;
            }
            Ok::<_, SnapshotError>(ControlFlow::Continue(()))
        })?;
        self.rows.extend(&known[at..]);
        ledger.prices(source, range, |row: Row<'_>| {
            let line = lines.get(self.market.rows() - first).copied().unwrap_or_default();
            self.price_row(&row, line)
        })?;
        Ok(())
    }

    /// Stores the vectors of a row, which is the next one of the history.
    fn submissions(&mut self, row: &Row<'_>) -> Result<Line, SnapshotError> {
        let at = self.rows.len();
        if row.sidx > self.settled && self.kept.is_none() {
            self.kept = Some((at, self.parts.split(at, self.names.sorted())?));
        }
        self.parts.seek(at, self.names.sorted())?;
        self.names.rewind();
        if row.sidx > self.request.opened() {
            return Ok(Line::default());
        }
        let submissions = row.submissions;
        let storage = submissions.storage();
        let bad_vectors = row.bad_vectors || storage.bytes() > self.request.storage.bytes();
        let of_guest = self.guest(at, row.sidx);
        if bad_vectors {
            return Ok(Line { bad_vectors, submitted: of_guest, ..Line::default() });
        }
        for (hotkey, numbers) in submissions {
            if self.request.gives_way(hotkey)? {
                continue;
            }
            let number = self.names.number(hotkey);
            if number == self.stored.len() {
                self.stored.push(self.keep_all || self.request.is_active(hotkey));
            }
            if self.stored[number] {
                self.parts.put(at, number, numbers, storage);
            }
        }
        Ok(Line { submitted: of_guest || submissions.any_nonzero(), ..Line::default() })
    }

    /// Stores the guest's vector of a row; gives whether there is one that is not all zero.
    fn guest(&mut self, at: usize, sidx: Sidx) -> bool {
        let guest = self.request.guest.as_deref();
        let Some((guest, vector)) = guest.and_then(|guest| Some((guest, guest.vector(sidx)?))) else {
            return false;
        };
        let number = self.names.number(&guest.name);
        if number == self.stored.len() {
            self.stored.push(true);
        }
        let mut bytes = Vec::new();
        vector.write(&mut bytes);
        self.parts.put(at, number, &bytes, vector.storage());
        self.names.rewind();
        vector.is_present()
    }

    /// Stores the prices of a row.
    fn price_row(&mut self, row: &Row<'_>, line: Line) -> Result<ControlFlow<()>, SnapshotError> {
        let read = row.read_prices(&self.columns, &mut self.prices);
        let bad_prices = row.bad_prices || !read;
        let line = Line { sidx: row.sidx, bad_prices, stamp: self.stamps.get(row.sidx), ..line };
        push(&mut self.market, &mut self.warnings, line, &self.prices).map(ControlFlow::Continue)
    }

    /// Writes what is left.
    pub(super) fn finish(self, carried: Vec<(String, String)>) -> Result<Made, SnapshotError> {
        let request = self.request;
        let market_rows = self.market.rows();
        let market_sum = self.market.finish()?;
        let names = self.names.sorted();
        let (parts, next_file) = self.parts.finish(self.rows.len(), names)?;
        // The market's file has a number, too, also where no part was written: the next one must not take its place while it is
        // read.
        let next_file = next_file.max(self.number + 1);
        let (kept_rows, kept_parts) = self.kept.unwrap_or((self.rows.len(), parts.len()));
        let seen = seen(self.dir, &parts, request.storage_dim, request.storage)?;
        let columns: Vec<(&str, Option<Block>)> = names
            .iter()
            .filter(|(name, _)| request.is_active(name))
            .filter_map(|(name, number)| {
                let first = seen.get(number)?.map(|row| self.rows[row].block(request.sample_every));
                Some((name.as_str(), first))
            })
            .collect();
        let manifest = Manifest {
            format: FORMAT,
            ticker: request.ticker.clone(),
            price_source: request.source().to_owned(),
            assets: request.assets.clone(),
            channels: request.channels.clone(),
            facts: request.facts.iter().map(|list| of_hotkeys(list, &columns)).collect(),
            storage: request.storage,
            storage_dim: request.storage_dim,
            sample_every: request.sample_every,
            rows: self.rows.len(),
            market: self.market_file.clone(),
            market_rows,
            hotkeys: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            first_seen: columns.iter().map(|(_, first)| *first).collect(),
            parts: parts.iter().map(SnapshotPart::from).collect(),
            carried,
        };
        let market = (self.market_file, market_sum);
        let of_part = |part: &Part| (part.file.clone(), part.sum);
        let files = parts.iter().map(of_part).chain([market.clone()]).collect();
        let mut hotkeys = vec![String::new(); names.len()];
        names.iter().for_each(|(name, number)| hotkeys[*number].clone_from(name));
        let parts = parts.into_iter().take(kept_parts).collect();
        let store = Store { market, market_rows, rows: kept_rows, hotkeys, parts, next_file };
        Ok(Made { manifest, files, store, warnings: self.warnings })
    }
}

/// Adds a row to the market, and what is bad about it to the warnings.
fn push(
    market: &mut MarketWriter,
    warnings: &mut Warnings,
    line: Line,
    prices: &[f64],
) -> Result<(), SnapshotError> {
    let add = |tally: &mut Tally, is_bad: bool| {
        if is_bad {
            tally.add(line.sidx);
        }
    };
    add(&mut warnings.bad_blobs, line.bad_vectors);
    add(&mut warnings.bad_prices, line.bad_prices);
    market.push(line, prices)
}

/// A list without the facts about hotkeys that are no columns.
fn of_hotkeys(list: &FactList, columns: &[(&str, Option<Block>)]) -> FactList {
    let is_column = |hotkey: &str| columns.binary_search_by(|(name, _)| (*name).cmp(hotkey)).is_ok();
    let rows = list.rows.iter().filter(|row| is_column(&row.hotkey)).cloned().collect();
    FactList { rows, ..list.clone() }
}
