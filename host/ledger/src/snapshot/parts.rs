//! `part-00000.arrow`, ...: the miners' vectors, written run by run.

use super::SnapshotError;
use super::arrow_file::ArrowFile;
use super::sums::SummedFile;
use crate::{Vector, is_nonzero};
use arrow_array::types::{Float16Type, Float32Type};
use arrow_array::{ArrayRef, FixedSizeListArray, PrimitiveArray, RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use mantis_plugin_api::{Storage, f16};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of one part in memory, for as many miners as the network has. Parts of all challenges may be gathered at once.
const BUDGET: usize = 32 << 20;
const MINERS: usize = 256;

/// Rows of a part, as many as the budget allows within these bounds: a part is what an extension rewrites.
const ROWS: (usize, usize) = (64, 16_384);

/// A part on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) file: String,
    /// The file's checksum.
    pub(super) sum: u32,
    /// Rows at its beginning that do not count any more.
    pub(super) skip: usize,
    /// Rows that count.
    pub(super) rows: usize,
    /// Its columns in the file's order.
    pub(super) columns: Vec<PartColumn>,
}

/// A hotkey's column in a part. Rows are those of the file, the skipped ones included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartColumn {
    /// The hotkey, by the number that the caller gave it.
    pub(super) hotkey: usize,
    /// The last row in which a vector was stored.
    pub(super) last: usize,
    /// The first row whose vector is not all zero.
    pub(super) nonzero: Option<usize>,
}

/// How vectors are written.
#[derive(Clone, Debug)]
pub(super) struct PartShape {
    pub(super) ticker: String,
    pub(super) dim: usize,
    pub(super) storage: Storage,
    /// Rows per part.
    pub(super) run: usize,
}

/// Gathers vectors and writes a part whenever its run of rows is full.
pub(super) struct PartsWriter {
    dir: PathBuf,
    shape: PartShape,
    /// First row of the part that is being gathered.
    start: usize,
    /// The vectors of each miner, by the number the caller gave it; empty if it is not in this part.
    columns: Vec<Gathered>,
    done: Vec<Part>,
    /// The number of the next file.
    next_file: u64,
}

/// A column of the part that is being gathered.
struct Gathered {
    numbers: Vector,
    last: usize,
    nonzero: Option<usize>,
}

/// How many rows a part has by default, for vectors of `dim` numbers: a power of two.
pub(super) fn rows_per_part(dim: usize, storage: Storage) -> usize {
    let rows = (BUDGET / (MINERS * dim.max(1) * storage.bytes())).clamp(ROWS.0, ROWS.1);
    1 << rows.ilog2()
}

impl PartsWriter {
    /// Begins with the file of this number.
    pub(super) fn new(dir: &Path, shape: PartShape, next_file: u64) -> Self {
        Self { dir: dir.into(), shape, start: 0, columns: Vec::new(), done: Vec::new(), next_file }
    }

    /// Goes on after parts that are there. The last one is gathered again, if there is room in it.
    pub(super) fn resume(&mut self, mut parts: Vec<Part>) -> Result<(), SnapshotError> {
        let tail = parts.pop_if(|last| last.rows < self.shape.run);
        self.start = parts.iter().map(|part| part.rows).sum();
        self.done = parts;
        let Some(tail) = tail else { return Ok(()) };
        let file = ArrowFile::open(&self.dir.join(&tail.file))?;
        super::sums::check(&file.file, &file.path, tail.sum)?;
        let [batch] = file.batches.as_slice() else { return Err(file.damaged("it is not one batch")) };
        if batch.rows != tail.skip + tail.rows || batch.values.len() != tail.columns.len() {
            return Err(file.damaged("it does not have the rows and columns that were written"));
        }
        let stride = self.shape.dim * self.shape.storage.bytes();
        let mut bytes = vec![0; tail.rows * stride];
        for (column, at) in tail.columns.iter().zip(&batch.values) {
            let Some(last) = column.last.checked_sub(tail.skip) else { continue };
            file.read(at + (tail.skip * stride) as u64, &mut bytes)?;
            self.add_column(column.hotkey);
            let place = column.hotkey;
            for (row, vector) in bytes.chunks_exact(stride).enumerate().take(last + 1) {
                self.put(self.start + row, place, vector, self.shape.storage);
            }
        }
        Ok(())
    }

    /// Goes to a row, no earlier than the one before, and writes the parts that end before it.
    pub(super) fn seek(&mut self, row: usize, names: &[(String, usize)]) -> Result<(), SnapshotError> {
        while row >= self.start + self.shape.run {
            self.flush(self.shape.run, names)?;
        }
        Ok(())
    }

    /// Ends the part before a row, so that the row begins another one. Gives how many parts there are before it.
    pub(super) fn split(&mut self, row: usize, names: &[(String, usize)]) -> Result<usize, SnapshotError> {
        self.seek(row, names)?;
        if row > self.start {
            self.flush(row - self.start, names)?;
        }
        Ok(self.done.len())
    }

    /// Stores a miner's vector in a row of the part that [`PartsWriter::seek`] went to: little-endian numbers, of the
    /// writer's precision or narrower.
    #[inline]
    pub(super) fn put(&mut self, row: usize, miner: usize, numbers: &[u8], storage: Storage) {
        if self.columns.get(miner).is_none_or(|column| column.numbers.is_empty()) {
            self.add_column(miner);
        }
        let (place, dim) = (row - self.start, self.shape.dim);
        let range = place * dim..(place + 1) * dim;
        let Some(column) = self.columns.get_mut(miner) else { return };
        column.last = place;
        if column.nonzero.is_none() && is_nonzero(numbers, storage) {
            column.nonzero = Some(place);
        }
        match &mut column.numbers {
            Vector::F16(column) => {
                let vector = column.get_mut(range).unwrap_or_default();
                for (to, &word) in vector.iter_mut().zip(numbers.as_chunks::<2>().0) {
                    *to = f16::from_le_bytes(word);
                }
            }
            Vector::F32(column) => {
                let vector = column.get_mut(range).unwrap_or_default();
                let numbers = Vector::from_bytes(numbers, storage).to_f32();
                vector.iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
            }
        }
    }

    #[cold]
    fn add_column(&mut self, miner: usize) {
        let nothing = || Gathered { numbers: Vector::F16(Vec::new()), last: 0, nonzero: None };
        if self.columns.len() <= miner {
            self.columns.resize_with(miner + 1, nothing);
        }
        // A little longer than needed, so that columns do not all fall into the same lines of the cache.
        let length = self.shape.run * self.shape.dim;
        self.columns[miner].numbers = match self.shape.storage {
            Storage::F16 => Vector::F16(zeros(f16::ZERO, length)),
            Storage::F32 => Vector::F32(zeros(0.0, length)),
        };
    }

    /// Writes the last part. `names` are all hotkeys sorted, each with the caller's number. Gives all parts, and the number
    /// of the next file.
    pub(super) fn finish(
        mut self,
        rows: usize,
        names: &[(String, usize)],
    ) -> Result<(Vec<Part>, u64), SnapshotError> {
        if rows > 0 {
            self.split(rows, names)?;
        }
        Ok((self.done, self.next_file))
    }

    /// Writes the part that was gathered and begins the next.
    fn flush(&mut self, rows: usize, names: &[(String, usize)]) -> Result<(), SnapshotError> {
        let file = format!("part-{:05}.arrow", self.next_file);
        let path = self.dir.join(&file);
        let kind = match self.shape.storage {
            Storage::F16 => DataType::Float16,
            Storage::F32 => DataType::Float32,
        };
        let item = Arc::new(Field::new("item", kind, false));
        let size = i32::try_from(self.shape.dim).unwrap_or(i32::MAX);
        let (mut fields, mut arrays, mut columns) = (Vec::new(), Vec::<ArrayRef>::new(), Vec::new());
        for (name, number) in names {
            let Some(column) = self.columns.get_mut(*number) else { continue };
            let numbers = std::mem::replace(&mut column.numbers, Vector::F16(Vec::new()));
            let (last, nonzero) = (std::mem::take(&mut column.last), column.nonzero.take());
            if numbers.is_empty() {
                continue;
            }
            let length = rows * self.shape.dim;
            let values: ArrayRef = match numbers {
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
            columns.push(PartColumn { hotkey: *number, last, nonzero });
        }
        let about = [("ticker", self.shape.ticker.clone()), ("storage_dim", self.shape.dim.to_string())];
        let about: HashMap<String, String> =
            about.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, about));
        let output = SummedFile::create(&path)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let written = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
            .and_then(|batch| {
                let mut writer = FileWriter::try_new(output, &schema)?;
                writer.write(&batch)?;
                writer.into_inner()
            })
            .map_err(SnapshotError::arrow(&path))?;
        self.next_file += 1;
        self.done.push(Part { file, sum: written.sum(), skip: 0, rows, columns });
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
