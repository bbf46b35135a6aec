//! Cutting a snapshot out of the ledger, in one pass and bounded memory.

use super::manifest::{FORMAT, Manifest};
use super::market::MarketWriter;
use super::parts::{PartsWriter, rows_per_part};
use super::{MARKET, Snapshot, SnapshotError};
use crate::{Directory, Ledger, Row, Submissions, Tally, Warnings, is_nonzero};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::{FactList, Storage};
use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// What to cut out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SnapshotRequest {
    /// Whose submissions.
    pub ticker: String,
    /// Whose prices, if another ticker's. Then the rows of the market are that ticker's, and submissions in a
    /// sampled block that it lacks are left out.
    pub price_source: Option<String>,
    /// The assets of `price_data`, in storage order; empty to take the single `price`.
    pub assets: Vec<String>,
    /// Numbers of `price_data` that are taken along beside the prices.
    pub channels: Vec<String>,
    /// Lists of facts that are taken along, in the challenge's order.
    pub facts: Vec<FactList>,
    /// Numbers per miner and row.
    pub storage_dim: usize,
    /// How they are stored.
    pub storage: Storage,
    /// Score up to this block; later rows are kept for their prices. `None`: score all.
    pub max_block: Option<Block>,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// The hotkeys that may be columns; `None`: all.
    pub active: Option<BTreeSet<String>>,
    /// Whether to take `breakout_state` along.
    pub carry_breakouts: bool,
}

impl Snapshot {
    /// Builds a snapshot in `dir`, which is created, or whose older snapshot is replaced; other files in it
    /// stay.
    ///
    /// The columns are all hotkeys stored for the ticker in rows up to `max_block` that are active. The whole
    /// is one moment of the ledger, even while another process writes it.
    ///
    /// # Errors
    /// If the ledger cannot be read or `dir` cannot be written; `dir` then holds no snapshot.
    pub fn build(ledger: &Ledger, request: &SnapshotRequest, dir: &Path) -> Result<Self, SnapshotError> {
        Self::build_in_runs(ledger, request, dir, rows_per_part(request.storage_dim, request.storage))
    }

    /// As [`Snapshot::build`], with so many rows to a part.
    pub(super) fn build_in_runs(
        ledger: &Ledger,
        request: &SnapshotRequest,
        dir: &Path,
        run: usize,
    ) -> Result<Self, SnapshotError> {
        let refuse = |reason: &str| SnapshotError::SnapshotRequest {
            ticker: request.ticker.clone(),
            reason: reason.into(),
        };
        if request.storage_dim == 0 || request.storage_dim > 1 << 20 {
            return Err(refuse("storage_dim is outside 1..=1048576"));
        }
        if request.sample_every < 1 {
            return Err(refuse("sample_every is less than 1"));
        }
        fs::create_dir_all(dir).map_err(SnapshotError::io(dir))?;
        Manifest::remove(dir)?;
        // An open snapshot of the same folder goes on reading its own files.
        fs::remove_file(dir.join(MARKET)).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(SnapshotError::io(&dir.join(MARKET))(e)),
        })?;
        let _moment = ledger.freeze()?;
        let mut cut = Cut::begin(request, dir, run)?;
        match &request.price_source {
            Some(source) if *source != request.ticker => cut.two_tickers(ledger, source)?,
            _ => cut.one_ticker(ledger)?,
        }
        let carried = if request.carry_breakouts { ledger.breakout_state()? } else { Vec::new() };
        let warnings = cut.finish(dir, carried)?;
        Self::open(dir).map(|snapshot| snapshot.with_warnings(warnings))
    }
}

/// A snapshot in the making.
struct Cut<'a> {
    request: &'a SnapshotRequest,
    /// The last `sidx` that may be scored.
    last: Sidx,
    market: MarketWriter,
    parts: PartsWriter,
    names: Directory,
    miners: Vec<Miner>,
    rows: usize,
    /// Assets, then channels.
    columns: Vec<String>,
    prices: Vec<f64>,
    warnings: Warnings,
}

/// What is known of a hotkey.
#[derive(Clone, Copy, Default)]
struct Miner {
    active: bool,
    first_sidx: Option<Sidx>,
}

impl<'a> Cut<'a> {
    fn begin(request: &'a SnapshotRequest, dir: &Path, run: usize) -> Result<Self, SnapshotError> {
        Ok(Self {
            request,
            last: request.max_block.map_or(Sidx::MAX, |block| block.sidx(request.sample_every)),
            market: MarketWriter::create(dir, &request.assets, &request.channels)?,
            parts: PartsWriter::create(dir, &request.ticker, request.storage_dim, request.storage, run)?,
            names: Directory::default(),
            miners: Vec::new(),
            rows: 0,
            columns: [request.assets.as_slice(), &request.channels].concat(),
            prices: vec![f64::NAN; request.assets.len().max(1) + request.channels.len()],
            warnings: Warnings::default(),
        })
    }

    /// Prices and submissions of one ticker: one pass.
    fn one_ticker(&mut self, ledger: &Ledger) -> Result<(), SnapshotError> {
        let (ticker, dim) = (&self.request.ticker, self.request.storage_dim);
        let read = ledger.rows(ticker, Sidx::MIN..=self.last, dim, |row: Row<'_>| {
            let submitted = self.submissions(self.rows, row.sidx, row.submissions)?;
            self.rows += 1;
            self.price_row(&row, submitted)
        })?;
        self.add_warnings(read);
        if self.last < Sidx::MAX {
            let later = self.last + 1..=Sidx::MAX;
            let read = ledger.prices(ticker, later, |row: Row<'_>| self.price_row(&row, false))?;
            self.add_warnings(read);
        }
        Ok(())
    }

    /// Prices of another ticker: its rows first, then the submissions, then the prices.
    fn two_tickers(&mut self, ledger: &Ledger, source: &str) -> Result<(), SnapshotError> {
        let known = ledger.sidx(source, Sidx::MIN..=self.last)?;
        let mut submitted = vec![false; known.len()];
        let mut at = 0;
        let (ticker, dim) = (&self.request.ticker, self.request.storage_dim);
        let read = ledger.rows(ticker, Sidx::MIN..=self.last, dim, |row: Row<'_>| {
            while known.get(at).is_some_and(|sidx| *sidx < row.sidx) {
                at += 1;
            }
            if known.get(at) == Some(&row.sidx) {
                submitted[at] = self.submissions(at, row.sidx, row.submissions)?;
            }
            Ok::<_, SnapshotError>(ControlFlow::Continue(()))
        })?;
        self.warnings.bad_blobs = read.bad_blobs;
        self.rows = known.len();
        let read = ledger.prices(source, Sidx::MIN..=Sidx::MAX, |row: Row<'_>| {
            let submitted = submitted.get(self.market.rows()).copied().unwrap_or_default();
            self.price_row(&row, submitted)
        })?;
        self.add_warnings(read);
        Ok(())
    }

    /// Stores the vectors of a row. Returns whether any of them, of any hotkey, is not all zero.
    fn submissions(
        &mut self,
        row: usize,
        sidx: Sidx,
        submissions: Submissions<'_>,
    ) -> Result<bool, SnapshotError> {
        self.parts.seek(row, self.names.sorted())?;
        self.names.rewind();
        let storage = submissions.storage();
        if storage.bytes() > self.request.storage.bytes() {
            self.warnings.bad_blobs.add(sidx);
            return Ok(false);
        }
        for (hotkey, numbers) in submissions {
            let number = self.names.number(hotkey);
            if number == self.miners.len() {
                let active = self.request.active.as_ref().is_none_or(|active| active.contains(hotkey));
                self.miners.push(Miner { active, first_sidx: None });
            }
            let miner = &mut self.miners[number];
            if miner.active {
                if miner.first_sidx.is_none() && is_nonzero(numbers, storage) {
                    miner.first_sidx = Some(sidx);
                }
                self.parts.put(row, number, numbers, storage);
            }
        }
        Ok(submissions.any_nonzero())
    }

    /// Stores the prices of a row.
    fn price_row(&mut self, row: &Row<'_>, submitted: bool) -> Result<ControlFlow<()>, SnapshotError> {
        if !row.read_prices(&self.columns, &mut self.prices) {
            self.warnings.bad_prices.add(row.sidx);
        }
        self.market.push(row.sidx, submitted, &self.prices)?;
        Ok(ControlFlow::Continue(()))
    }

    fn add_warnings(&mut self, more: Warnings) {
        let add = |to: &mut Tally, more: Tally| {
            to.count += more.count;
            to.first_sidx = [to.first_sidx, more.first_sidx].into_iter().flatten().min();
        };
        add(&mut self.warnings.bad_blobs, more.bad_blobs);
        add(&mut self.warnings.bad_prices, more.bad_prices);
    }

    /// Writes what is left, the manifest last.
    fn finish(self, dir: &Path, carried: Vec<(String, String)>) -> Result<Warnings, SnapshotError> {
        let request = self.request;
        let market_rows = self.market.rows();
        self.market.finish()?;
        let names = self.names.sorted();
        let columns: Vec<&(String, usize)> =
            names.iter().filter(|(_, number)| self.miners[*number].active).collect();
        let chosen: Vec<usize> = columns.iter().map(|(_, number)| *number).collect();
        let first_seen = chosen
            .iter()
            .map(|number| self.miners[*number].first_sidx.map(|sidx| sidx.block(request.sample_every)));
        let manifest = Manifest {
            format: FORMAT,
            ticker: request.ticker.clone(),
            price_source: request.price_source.clone().unwrap_or_else(|| request.ticker.clone()),
            assets: request.assets.clone(),
            channels: request.channels.clone(),
            facts: request.facts.iter().map(|list| of_hotkeys(list, &columns)).collect(),
            storage: request.storage,
            storage_dim: request.storage_dim,
            sample_every: request.sample_every,
            rows: self.rows,
            market_rows,
            hotkeys: columns.iter().map(|(name, _)| name.clone()).collect(),
            first_seen: first_seen.collect(),
            parts: self.parts.finish(self.rows, names, &chosen)?,
            carried,
        };
        manifest.write(dir)?;
        Ok(self.warnings)
    }
}

/// A list without the facts about hotkeys that are no columns.
fn of_hotkeys(list: &FactList, columns: &[&(String, usize)]) -> FactList {
    let is_column = |hotkey: &str| columns.binary_search_by(|(name, _)| name.as_str().cmp(hotkey)).is_ok();
    let rows = list.rows.iter().filter(|row| is_column(&row.hotkey)).cloned().collect();
    FactList { rows, ..list.clone() }
}
