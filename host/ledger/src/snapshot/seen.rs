//! Which hotkeys are in the parts, and since when.

use super::SnapshotError;
use super::arrow_file::ArrowFile;
use super::parts::{Part, PartColumn};
use crate::is_nonzero;
use mantis_plugin_api::Storage;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows that are looked at in one go.
const PIECE: usize = 64;

/// Every hotkey with a vector in the rows of the parts, by its number, with the first row whose vector is not all zero.
pub(super) fn seen(
    dir: &Path,
    parts: &[Part],
    dim: usize,
    storage: Storage,
) -> Result<BTreeMap<usize, Option<usize>>, SnapshotError> {
    let mut seen = BTreeMap::new();
    let mut start = 0;
    for part in parts {
        let mut trimmed = Trimmed { dir, part, stride: dim * storage.bytes(), storage, file: None };
        for (place, column) in part.columns.iter().enumerate().filter(|(_, column)| column.last >= part.skip)
        {
            let first = seen.entry(column.hotkey).or_insert(None);
            if first.is_none() {
                *first = trimmed.first(place, column)?.map(|row| start + row - part.skip);
            }
        }
        start += part.rows;
    }
    Ok(seen)
}

/// A part, whose file is only opened where rows at its beginning do not count any more.
struct Trimmed<'a> {
    dir: &'a Path,
    part: &'a Part,
    stride: usize,
    storage: Storage,
    file: Option<ArrowFile>,
}

impl Trimmed<'_> {
    /// The first row of the file, of those that count, whose vector in a column is not all zero.
    fn first(&mut self, place: usize, column: &PartColumn) -> Result<Option<usize>, SnapshotError> {
        let Some(first) = column.nonzero else { return Ok(None) };
        if first >= self.part.skip {
            return Ok(Some(first));
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(ArrowFile::open(&self.dir.join(&self.part.file))?),
        };
        let values = file.batches.first().and_then(|batch| batch.values.get(place)).copied();
        let at = values.ok_or_else(|| file.damaged("it does not have the columns that were written"))?;
        let mut bytes = vec![0; PIECE * self.stride];
        let mut row = self.part.skip;
        while row <= column.last {
            let rows = PIECE.min(column.last + 1 - row);
            let piece = &mut bytes[..rows * self.stride];
            file.read(at + (row * self.stride) as u64, piece)?;
            let found = piece.chunks_exact(self.stride).position(|vector| is_nonzero(vector, self.storage));
            if let Some(found) = found {
                return Ok(Some(row + found));
            }
            row += rows;
        }
        Ok(None)
    }
}
