//! What is cut out of a ledger.

use super::SnapshotError;
use super::guest::Guest;
use super::parts::PartShape;
use crate::{Ledger, LedgerError};
use mantis_config::{Block, Sidx};
use mantis_plugin_api::{FactList, Storage};
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// Takes the ledger as it was at a block of the past; `None`: as it is.
    pub as_of: Option<AsOf>,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// The hotkeys that may be columns; `None`: all.
    pub active: Option<BTreeSet<String>>,
    /// A column that is not in the ledger.
    pub guest: Option<Arc<Guest>>,
    /// Whether to take `breakout_state` along.
    pub carry_breakouts: bool,
}

/// What was known at a block of the past: what came later is left out, though the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The block: no later row has a price.
    pub block: Block,
    /// The newest block whose payloads were open by then: no later row has vectors.
    pub opened: Block,
}

impl AsOf {
    /// What was known at a block, where payloads are opened so many blocks after they were sampled.
    #[must_use]
    pub fn at(block: Block, maturity: i64) -> Self {
        Self { block, opened: block - maturity }
    }
}

impl SnapshotRequest {
    /// Whose prices and rows they are.
    pub(super) fn source(&self) -> &str {
        self.price_source.as_ref().unwrap_or(&self.ticker)
    }

    /// Whether a hotkey may be a column.
    pub(super) fn is_active(&self, hotkey: &str) -> bool {
        self.active.as_ref().is_none_or(|active| active.contains(hotkey)) || self.is_guest(hotkey)
    }

    /// Whether a hotkey is the guest's name.
    pub(super) fn is_guest(&self, hotkey: &str) -> bool {
        self.guest.as_ref().is_some_and(|guest| guest.name == hotkey)
    }

    /// Whether a vector of the ledger's is the guest's too, who then takes its place.
    pub(super) fn gives_way(&self, hotkey: &str) -> Result<bool, SnapshotError> {
        let Some(guest) = self.guest.as_ref().filter(|guest| guest.name == hotkey) else { return Ok(false) };
        if guest.in_place || self.active.as_ref().is_some_and(|active| !active.contains(hotkey)) {
            return Ok(true);
        }
        Err(self.refusal(format!("the ledger has a hotkey {hotkey}, which is also the guest's name")))
    }

    /// The last `sidx` that may be scored.
    pub(super) fn last(&self) -> Sidx {
        self.max_block.map_or(Sidx::MAX, |block| block.sidx(self.sample_every)).min(self.newest())
    }

    /// The last `sidx` that has a price.
    pub(super) fn newest(&self) -> Sidx {
        self.as_of.map_or(Sidx::MAX, |as_of| as_of.block.sidx(self.sample_every))
    }

    /// The last `sidx` whose vectors count.
    pub(super) fn opened(&self) -> Sidx {
        self.as_of.map_or(Sidx::MAX, |as_of| as_of.opened.sidx(self.sample_every))
    }

    /// How its vectors are written, with so many rows to a part.
    pub(super) fn shape(&self, run: usize) -> PartShape {
        PartShape { ticker: self.ticker.clone(), dim: self.storage_dim, storage: self.storage, run }
    }

    /// Whether it makes sense.
    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        let refuse = |reason: &str| self.refusal(reason.into());
        match () {
            () if self.storage_dim == 0 || self.storage_dim > 1 << 20 => {
                Err(refuse("storage_dim is outside 1..=1048576"))
            }
            () if self.sample_every < 1 => Err(refuse("sample_every is less than 1")),
            () => match self.guest.as_ref().and_then(|guest| guest.fault(self.storage_dim, self.storage)) {
                Some(fault) => Err(self.refusal(fault)),
                None => Ok(()),
            },
        }
    }

    /// An error about this request.
    pub(super) fn refusal(&self, reason: String) -> SnapshotError {
        SnapshotError::SnapshotRequest { ticker: self.ticker.clone(), reason }
    }

    /// What is taken along of the ledger beside rows.
    pub(super) fn carried(&self, ledger: &Ledger) -> Result<Vec<(String, String)>, LedgerError> {
        if self.carry_breakouts { ledger.breakout_state() } else { Ok(Vec::new()) }
    }
}
