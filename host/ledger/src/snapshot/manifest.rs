//! `snapshot.json`: what the folder holds. It is written last, so that a folder without it is unfinished.

use super::SnapshotError;
use super::files::{is_elsewhere, remove, replace};
use super::parts::Part;
use super::sums::Sums;
use mantis_config::Block;
use mantis_plugin_api::{FactList, Storage};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The format that this program writes and reads.
pub(super) const FORMAT: u32 = 3;

pub(super) const NAME: &str = "snapshot.json";

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the layout.
    pub format: u32,
    /// The ticker whose submissions these are.
    pub ticker: String,
    /// The ticker whose prices and rows these are.
    pub price_source: String,
    /// Assets in storage order; empty for a single-asset challenge.
    pub assets: Vec<String>,
    /// Channels beside the prices.
    pub channels: Vec<String>,
    /// Facts from outside about `hotkeys`.
    pub facts: Vec<FactList>,
    /// How numbers are stored.
    pub storage: Storage,
    /// Numbers per miner and row.
    pub storage_dim: usize,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Rows of the market that may be scored: the rows of the history.
    pub rows: usize,
    /// The file with the market.
    pub market: String,
    /// Rows of the market, the future included.
    pub market_rows: usize,
    /// The hotkey of each miner, sorted as byte strings.
    pub hotkeys: Vec<String>,
    /// Block of the first stored vector that is not all zero, for each of `hotkeys`.
    pub first_seen: Vec<Option<Block>>,
    /// The runs of rows, in order.
    pub parts: Vec<SnapshotPart>,
    /// `breakout_state` of the ledger, if it was asked for: asset and JSON text.
    pub carried: Vec<(String, String)>,
}

/// One run of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPart {
    /// The file's name in the folder.
    pub file: String,
    /// Rows at its beginning that do not count.
    pub skip: usize,
    /// Its rows after those. There may be more in the file.
    pub rows: usize,
}

impl Manifest {
    /// Removes the manifest, which makes the folder an unfinished snapshot.
    pub(super) fn remove(dir: &Path) -> Result<(), SnapshotError> {
        remove(&dir.join(NAME))
    }

    /// Writes the manifest, whole or not at all; the checksums of the other files go with it.
    pub(super) fn write(
        &self,
        dir: &Path,
        files: impl IntoIterator<Item = (String, u32)>,
    ) -> Result<(), SnapshotError> {
        let path = dir.join(NAME);
        let text = serde_json::to_vec(self).map_err(|e| SnapshotError::io(&path)(e.into()))?;
        let own = (NAME.to_owned(), crc32fast::hash(&text));
        Sums::new(files.into_iter().chain([own])).write(dir)?;
        replace(&path, &text)
    }

    /// Reads and checks the manifest.
    pub(super) fn read(dir: &Path) -> Result<Self, SnapshotError> {
        let path = dir.join(NAME);
        let text = fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => SnapshotError::Incomplete { dir: dir.into() },
            _ => SnapshotError::io(&path)(e),
        })?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let bad_json = |e: serde_json::Error| SnapshotError::damaged(&path, e.to_string());
        let Format { format } = serde_json::from_slice(&text).map_err(bad_json)?;
        if format != FORMAT {
            return Err(SnapshotError::Format { path, found: format, known: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(bad_json)?;
        manifest.check().map_err(|what| SnapshotError::damaged(&path, what))?;
        Ok(manifest)
    }

    /// Whether its parts fit together.
    fn check(&self) -> Result<(), &'static str> {
        let rows = self.parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(part.rows));
        let small = self.storage_dim.checked_mul(self.rows).is_some_and(|n| n < isize::MAX as usize / 2);
        match () {
            () if self.storage_dim == 0 || !small => Err("storage_dim is 0 or too large"),
            () if rows != Some(self.rows) => Err("the rows of the parts are not the rows of the history"),
            () if self.rows > self.market_rows => Err("the history has more rows than the market"),
            () if !self.hotkeys.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()) => {
                Err("the hotkeys are not sorted")
            }
            () if self.first_seen.len() != self.hotkeys.len() => Err("first_seen is not as long as hotkeys"),
            () if is_elsewhere(&self.market) => Err("the market lies in another folder"),
            () if self.parts.iter().any(|part| is_elsewhere(&part.file) || part.rows == 0) => {
                Err("a part is empty or lies in another folder")
            }
            () => Ok(()),
        }
    }
}

impl From<&Part> for SnapshotPart {
    fn from(part: &Part) -> Self {
        Self { file: part.file.clone(), skip: part.skip, rows: part.rows }
    }
}
