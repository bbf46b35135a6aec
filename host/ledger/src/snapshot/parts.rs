//! `part-00000.arrow`, ...: the miners' vectors, written run by run.

use super::{SnapshotError, SnapshotPart};
use crate::Vector;
use arrow_array::types::{Float16Type, Float32Type};
use arrow_array::{ArrayRef, FixedSizeListArray, PrimitiveArray, RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use mantis_plugin_api::{Storage, f16};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of one part in memory, for as many miners as the network has.
const BUDGET: usize = 96 << 20;
const MINERS: usize = 256;

/// Rows of a part, as many as the budget allows within these bounds: a part is what an extension rewrites.
const ROWS: (usize, usize) = (64, 16_384);

/// Gathers vectors and writes a part whenever its run of rows is full.
pub(super) struct PartsWriter {
    dir: PathBuf,
    ticker: String,
    dim: usize,
    /// Rows per part.
    run: usize,
    /// First row of the part that is being gathered.
    start: usize,
    /// The vectors of each miner, by the number the caller gave it; empty if it is not in this part.
    columns: Vec<Vector>,
    storage: Storage,
    done: Vec<Written>,
}

/// A part on disk; its columns by the caller's numbers.
struct Written {
    file: String,
    rows: usize,
    columns: Vec<usize>,
}

/// How many rows a part has by default, for vectors of `dim` numbers: a power of two.
pub(super) fn rows_per_part(dim: usize, storage: Storage) -> usize {
    let rows = (BUDGET / (MINERS * dim.max(1) * storage.bytes())).clamp(ROWS.0, ROWS.1);
    1 << rows.ilog2()
}

impl PartsWriter {
    /// Begins, and removes the parts of an older snapshot.
    pub(super) fn create(
        dir: &Path,
        ticker: &str,
        dim: usize,
        storage: Storage,
        run: usize,
    ) -> Result<Self, SnapshotError> {
        for entry in fs::read_dir(dir).map_err(SnapshotError::io(dir))? {
            let path = entry.map_err(SnapshotError::io(dir))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("part-") && name.ends_with(".arrow") {
                fs::remove_file(&path).map_err(SnapshotError::io(&path))?;
            }
        }
        Ok(Self {
            dir: dir.into(),
            ticker: ticker.into(),
            dim,
            run,
            start: 0,
            columns: Vec::new(),
            storage,
            done: Vec::new(),
        })
    }

    /// Goes to a row, no earlier than the one before, and writes the parts that end before it.
    pub(super) fn seek(&mut self, row: usize, names: &[(String, usize)]) -> Result<(), SnapshotError> {
        while row >= self.start + self.run {
            self.flush(self.run, names)?;
        }
        Ok(())
    }

    /// Stores a miner's vector in a row of the part that [`PartsWriter::seek`] went to: little-endian numbers, of the
    /// writer's precision or narrower.
    #[inline]
    pub(super) fn put(&mut self, row: usize, miner: usize, numbers: &[u8], storage: Storage) {
        if self.columns.get(miner).is_none_or(Vector::is_empty) {
            self.add_column(miner);
        }
        let from = (row - self.start) * self.dim;
        let range = from..from + self.dim;
        match self.columns.get_mut(miner) {
            Some(Vector::F16(column)) => {
                let vector = column.get_mut(range).unwrap_or_default();
                for (to, &word) in vector.iter_mut().zip(numbers.as_chunks::<2>().0) {
                    *to = f16::from_le_bytes(word);
                }
            }
            Some(Vector::F32(column)) => {
                let vector = column.get_mut(range).unwrap_or_default();
                let numbers = Vector::from_bytes(numbers, storage).to_f32();
                vector.iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
            }
            None => {}
        }
    }

    #[cold]
    fn add_column(&mut self, miner: usize) {
        if self.columns.len() <= miner {
            self.columns.resize_with(miner + 1, || Vector::F16(Vec::new()));
        }
        // A little longer than needed, so that columns do not all fall into the same lines of the cache.
        let length = self.run * self.dim;
        self.columns[miner] = match self.storage {
            Storage::F16 => Vector::F16(zeros(f16::ZERO, length)),
            Storage::F32 => Vector::F32(zeros(0.0, length)),
        };
    }

    /// Writes the last part. `names` are all hotkeys sorted, each with the caller's number; the parts
    /// returned refer to them by their place among `chosen`.
    pub(super) fn finish(
        mut self,
        rows: usize,
        names: &[(String, usize)],
        chosen: &[usize],
    ) -> Result<Vec<SnapshotPart>, SnapshotError> {
        if rows > 0 {
            self.seek(rows - 1, names)?;
            self.flush(rows - self.start, names)?;
        }
        let place: HashMap<usize, usize> =
            chosen.iter().enumerate().map(|(place, number)| (*number, place)).collect();
        let part = |part: Written| SnapshotPart {
            file: part.file,
            rows: part.rows,
            columns: part.columns.iter().filter_map(|number| place.get(number).copied()).collect(),
        };
        Ok(self.done.into_iter().map(part).collect())
    }

    /// Writes the part that was gathered and begins the next.
    fn flush(&mut self, rows: usize, names: &[(String, usize)]) -> Result<(), SnapshotError> {
        let file = format!("part-{:05}.arrow", self.done.len());
        let path = self.dir.join(&file);
        let kind = match self.storage {
            Storage::F16 => DataType::Float16,
            Storage::F32 => DataType::Float32,
        };
        let item = Arc::new(Field::new("item", kind, false));
        let size = i32::try_from(self.dim).unwrap_or(i32::MAX);
        let (mut fields, mut arrays, mut columns) = (Vec::new(), Vec::<ArrayRef>::new(), Vec::new());
        for (name, number) in names {
            let nothing = Vector::F16(Vec::new());
            let column = self.columns.get_mut(*number).map(|column| std::mem::replace(column, nothing));
            let Some(column) = column.filter(|column| !column.is_empty()) else { continue };
            let length = rows * self.dim;
            let values: ArrayRef = match column {
                Vector::F16(mut column) => {
                    column.truncate(length);
                    Arc::new(PrimitiveArray::<Float16Type>::from(column))
                }
                Vector::F32(mut column) => {
                    column.truncate(length);
                    Arc::new(PrimitiveArray::<Float32Type>::from(column))
                }
            };
            let array = FixedSizeListArray::try_new(item.clone(), size, values, None)
                .map_err(SnapshotError::arrow(&path))?;
            fields.push(Field::new(name, DataType::FixedSizeList(item.clone(), size), false));
            arrays.push(Arc::new(array));
            columns.push(*number);
        }
        let about = [("ticker", self.ticker.clone()), ("storage_dim", self.dim.to_string())];
        let about: HashMap<String, String> =
            about.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, about));
        let output = File::create(&path).map_err(SnapshotError::io(&path))?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
            .and_then(|batch| {
                let mut writer = FileWriter::try_new(output, &schema)?;
                writer.write(&batch)?;
                writer.finish()
            })
            .map_err(SnapshotError::arrow(&path))?;
        self.done.push(Written { file, rows, columns });
        self.start += rows;
        Ok(())
    }
}

/// So many zeros, with room for a few more.
fn zeros<T: Clone>(zero: T, length: usize) -> Vec<T> {
    let mut column = vec![zero; length + 96];
    column.truncate(length);
    column
}
