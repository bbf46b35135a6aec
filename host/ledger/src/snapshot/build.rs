//! Cutting a snapshot out of the ledger.

use super::cut::{Cut, Plan};
use super::kept::remove_others;
use super::manifest::Manifest;
use super::parts::{PartShape, rows_per_part};
use super::stamps::Stamps;
use super::{MARKET, Snapshot, SnapshotError};
use crate::{Ledger, LedgerError};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::{FactList, Storage};
use std::collections::BTreeSet;
use std::fs;
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

impl SnapshotRequest {
    /// Whose prices and rows they are.
    pub(super) fn source(&self) -> &str {
        self.price_source.as_ref().unwrap_or(&self.ticker)
    }

    /// Whether a hotkey may be a column.
    pub(super) fn is_active(&self, hotkey: &str) -> bool {
        self.active.as_ref().is_none_or(|active| active.contains(hotkey))
    }

    /// The last `sidx` that may be scored.
    pub(super) fn last(&self) -> Sidx {
        self.max_block.map_or(Sidx::MAX, |block| block.sidx(self.sample_every))
    }

    /// How its vectors are written, with so many rows to a part.
    pub(super) fn shape(&self, run: usize) -> PartShape {
        PartShape { ticker: self.ticker.clone(), dim: self.storage_dim, storage: self.storage, run }
    }

    /// Whether it makes sense.
    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        let refuse = |reason: &str| SnapshotError::SnapshotRequest {
            ticker: self.ticker.clone(),
            reason: reason.into(),
        };
        match () {
            () if self.storage_dim == 0 || self.storage_dim > 1 << 20 => {
                Err(refuse("storage_dim is outside 1..=1048576"))
            }
            () if self.sample_every < 1 => Err(refuse("sample_every is less than 1")),
            () => Ok(()),
        }
    }

    /// What is taken along of the ledger beside rows.
    pub(super) fn carried(&self, ledger: &Ledger) -> Result<Vec<(String, String)>, LedgerError> {
        if self.carry_breakouts { ledger.breakout_state() } else { Ok(Vec::new()) }
    }
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
        request.check()?;
        fs::create_dir_all(dir).map_err(SnapshotError::io(dir))?;
        Manifest::remove(dir)?;
        remove_others(dir, &[])?;
        let plan = Plan {
            dir,
            keep_all: false,
            market: MARKET.into(),
            shape: request.shape(run),
            stamps: Stamps::default(),
            settled: Sidx::MAX,
            state: None,
            next_file: 0,
        };
        let _moment = ledger.freeze()?;
        let mut cut = Cut::begin(request, plan)?;
        cut.read(ledger)?;
        let made = cut.finish(request.carried(ledger)?)?;
        made.manifest.write(dir, made.files)?;
        Self::open(dir).map(|snapshot| snapshot.with_warnings(made.warnings))
    }
}
