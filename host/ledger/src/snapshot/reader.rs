//! Reading a snapshot: the [`History`] of a worker.

use super::arrow_file::{ArrowFile, Kind};
use super::manifest::{self, Manifest, SnapshotPart};
use super::sums::Sums;
use super::{SnapshotError, market, sums};
use crate::Warnings;
use mantis_config::Block;
use mantis_plugin_api::{History, Market, PluginError, Shape, Storage, f16};
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A snapshot on disk. Nothing of it is held in memory but where things are; its files stay open, so that
/// building a newer one in the same folder does not disturb it.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Manifest,
    market: ArrowFile,
    runs: Vec<Run>,
    warnings: Warnings,
}

/// A part and where its values are.
#[derive(Debug)]
struct Run {
    file: ArrowFile,
    /// Its rows, as rows of the history.
    rows: Range<usize>,
    /// Rows of the file before those.
    skip: usize,
    /// Where the vectors of each miner begin in the file; `None` if it has none here.
    vectors: Vec<Option<u64>>,
}

impl Snapshot {
    /// Opens the snapshot in `dir`.
    ///
    /// # Errors
    /// If there is none, or a file of it is damaged: see [`SnapshotError`].
    pub fn open(dir: &Path) -> Result<Self, SnapshotError> {
        let manifest = Manifest::read(dir)?;
        let mut runs = Vec::with_capacity(manifest.parts.len());
        let mut start = 0;
        for part in &manifest.parts {
            runs.push(Run::open(dir, &manifest, part, start)?);
            start += part.rows;
        }
        Ok(Self { market: market::open(dir, &manifest)?, manifest, runs, warnings: Warnings::default() })
    }

    /// Opens the snapshot in `dir` after every file of it was compared with its checksum, which takes as long as reading
    /// it does.
    ///
    /// # Errors
    /// As [`Snapshot::open`], also if a bit of it is not what was written.
    pub fn open_checked(dir: &Path) -> Result<Self, SnapshotError> {
        Self::open_by(dir, Sums::read(dir, None)?)
    }

    /// As [`Snapshot::open_checked`], if it is the one of this [digest](Snapshot::digest): what another machine sees of a
    /// folder may be older, or not whole yet.
    ///
    /// # Errors
    /// As [`Snapshot::open_checked`], also if it is another one.
    pub fn open_exactly(dir: &Path, digest: &str) -> Result<Self, SnapshotError> {
        Self::open_by(dir, Sums::read(dir, Some(digest))?)
    }

    /// A digest of all files of the snapshot in `dir`, as its checksums have them: SHA-256 in lower-case hexadecimal.
    ///
    /// # Errors
    /// If there is none.
    pub fn digest(dir: &Path) -> Result<String, SnapshotError> {
        sums::digest(dir)
    }

    fn open_by(dir: &Path, sums: Sums) -> Result<Self, SnapshotError> {
        let path = dir.join(manifest::NAME);
        let file = File::open(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => SnapshotError::Incomplete { dir: dir.into() },
            _ => SnapshotError::io(&path)(e),
        })?;
        sums.check(&file, &path)?;
        let snapshot = Self::open(dir)?;
        let files = snapshot.runs.iter().map(|run| &run.file).chain([&snapshot.market]);
        for ArrowFile { file, path, .. } in files {
            sums.check(file, path)?;
        }
        Ok(snapshot)
    }

    /// What the snapshot holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What was left out while building; nothing for a snapshot that was only opened.
    #[must_use]
    pub fn warnings(&self) -> Warnings {
        self.warnings
    }

    pub(super) fn with_warnings(mut self, warnings: Warnings) -> Self {
        self.warnings = warnings;
        self
    }

    /// The block of each column's first vector that is not all zero.
    #[must_use]
    pub fn first_seen(&self) -> BTreeMap<&str, Block> {
        let hotkeys = self.manifest.hotkeys.iter().map(String::as_str);
        hotkeys
            .zip(&self.manifest.first_seen)
            .filter_map(|(hotkey, first)| Some((hotkey, (*first)?)))
            .collect()
    }

    /// Reads the prices.
    ///
    /// # Errors
    /// If `market.arrow` is damaged or cannot be read.
    pub fn market(&self) -> Result<Market, SnapshotError> {
        market::read(&self.market, &self.manifest)
    }
}

impl Run {
    fn open(
        dir: &Path,
        manifest: &Manifest,
        part: &SnapshotPart,
        start: usize,
    ) -> Result<Self, SnapshotError> {
        let file = ArrowFile::open(&dir.join(&part.file))?;
        let [batch] = file.batches.as_slice() else { return Err(file.damaged("it is not one batch")) };
        if part.skip.checked_add(part.rows).is_none_or(|rows| rows > batch.rows) {
            let (skip, rows) = (part.skip, part.rows);
            return Err(
                file.damaged(format!("snapshot.json says that it has {rows} rows after {skip} others"))
            );
        }
        let kind = match manifest.storage {
            Storage::F16 => Kind::Halves(manifest.storage_dim),
            Storage::F32 => Kind::Singles(manifest.storage_dim),
        };
        let mut vectors = vec![None; manifest.hotkeys.len()];
        for (column, at) in file.columns.iter().zip(&batch.values) {
            if column.kind != kind {
                return Err(file.damaged(format!("column {} is not what snapshot.json says", column.name)));
            }
            // Others are in the file too, who are not registered any more.
            if let Ok(miner) = manifest.hotkeys.binary_search(&column.name) {
                vectors[miner] = Some(*at);
            }
        }
        Ok(Self { rows: start..start + part.rows, skip: part.skip, vectors, file })
    }
}

impl History for Snapshot {
    fn shape(&self) -> Shape {
        Shape {
            rows: self.manifest.rows,
            miners: self.manifest.hotkeys.len(),
            dim: self.manifest.storage_dim,
        }
    }

    fn hotkeys(&self) -> &[String] {
        &self.manifest.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        if self.manifest.storage != Storage::F16 {
            let message = "the history is stored in single precision; a plugin of contract 1.1 reads it so";
            return Err(PluginError::host(message));
        }
        self.read_block(miners, rows, out, f16::from_le_bytes)
    }

    fn read_f32(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f32]) -> Result<(), PluginError> {
        if self.manifest.storage == Storage::F32 {
            return self.read_block(miners, rows, out, f32::from_le_bytes);
        }
        let mut halves = vec![f16::ZERO; out.len()];
        self.read(miners, rows, &mut halves)?;
        halves.iter().zip(out).for_each(|(half, out)| *out = half.to_f32());
        Ok(())
    }
}

impl Snapshot {
    /// Reads a block of numbers that take `N` bytes each.
    fn read_block<T, const N: usize>(
        &self,
        miners: Range<usize>,
        rows: Range<usize>,
        out: &mut [T],
        from_le_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<(), PluginError>
    where
        T: Copy + Default + FromBytes + IntoBytes + Immutable,
    {
        let shape = self.shape();
        let inside = miners.start <= miners.end
            && rows.start <= rows.end
            && miners.end <= shape.miners
            && rows.end <= shape.rows;
        if !inside
            || Some(out.len()) != rows.len().checked_mul(shape.dim).and_then(|n| n.checked_mul(miners.len()))
        {
            let (n, history) = (out.len(), (shape.miners, shape.rows, shape.dim));
            return Err(PluginError::host(format!(
                "miners {miners:?} x rows {rows:?} into {n} numbers: the history is {history:?} (miners, rows, dim)"
            )));
        }
        if out.is_empty() {
            return Ok(());
        }
        let first = self.runs.partition_point(|run| run.rows.end <= rows.start);
        for (miner, block) in miners.zip(out.chunks_exact_mut(rows.len() * shape.dim)) {
            for run in self.runs[first..].iter().take_while(|run| run.rows.start < rows.end) {
                let (from, to) = (rows.start.max(run.rows.start), rows.end.min(run.rows.end));
                let part = &mut block[(from - rows.start) * shape.dim..(to - rows.start) * shape.dim];
                let Some(at) = run.vectors[miner] else {
                    part.fill(T::default());
                    continue;
                };
                let skip = (run.skip + from - run.rows.start) * shape.dim * N;
                let bytes = part.as_mut_bytes();
                run.file.read(at + skip as u64, bytes).map_err(|e| PluginError::host(e.to_string()))?;
                if cfg!(target_endian = "big") {
                    let words = part.as_bytes().as_chunks::<N>().0.to_vec();
                    part.iter_mut().zip(words).for_each(|(x, word)| *x = from_le_bytes(word));
                }
            }
        }
        Ok(())
    }
}
