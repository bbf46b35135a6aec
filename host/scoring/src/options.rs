//! What to score, and with what.

use crate::saliences::SalienceCache;
use crate::worker::Launcher;
use mantis_config::Block;
use mantis_ledger::snapshot::{AsOf, Guest};
use mantis_plugin_api::{FactList, Solver};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What to score, and with what.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ledger; it is only read.
    pub ledger: PathBuf,
    /// Newest block whose row is scored; `None`: the ledger's last.
    pub max_block: Option<Block>,
    /// Takes the ledger as it was at a block of the past; `None`: as it is.
    pub as_of: Option<AsOf>,
    /// Tickers to score; `None`: all.
    pub only: Option<BTreeSet<String>>,
    /// Registered hotkeys; `None`: every stored one.
    pub active: Option<BTreeSet<String>>,
    /// Columns that are not in the ledger, by ticker. What is kept beside the ledger is neither used nor changed for them.
    pub guests: BTreeMap<String, Arc<Guest>>,
    /// Overrides where model fits stop.
    pub solver: Option<Solver>,
    /// Challenges scored at the same time, at least 1.
    pub threads: usize,
    /// Lists of facts to give in the place of those of the ledger.
    pub facts: Vec<FactList>,
    /// Folder of kept histories, as [`KeptHistory::folder`](mantis_ledger::snapshot::KeptHistory::folder) names it; `None`:
    /// none is used, and none is kept.
    pub histories: Option<PathBuf>,
    /// Saliences that were scored before; `None`: all are scored.
    pub saliences: Option<Arc<SalienceCache>>,
    /// Folder for histories that are not kept, which are removed at the end.
    pub scratch: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
}
