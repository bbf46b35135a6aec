//! Cutting a snapshot out of the ledger.

use super::cut::{Cut, Plan};
use super::files::remove_others;
use super::manifest::Manifest;
use super::parts::rows_per_part;
use super::request::SnapshotRequest;
use super::stamps::Stamps;
use super::{MARKET, Snapshot, SnapshotError};
use crate::Ledger;
use mantis_config::Sidx;
use std::fs;
use std::path::Path;

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
