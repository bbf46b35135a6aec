//! Where the values of each column lie in an Arrow IPC file, so that any run of rows is one positioned read.
//!
//! Reads what Arrow's own descriptions say, checked against the file's length; the values are never decoded
//! here.

use super::SnapshotError;
use arrow_ipc::{Block, Endianness, Field, FieldNode, Precision, Type, root_as_footer, root_as_message};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// An Arrow IPC file of uncompressed columns without nulls.
#[derive(Debug)]
pub(super) struct ArrowFile {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) columns: Vec<Column>,
    pub(super) batches: Vec<Batch>,
}

/// A column's name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The types that a snapshot uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `fixed_size_list<float16>` of so many numbers.
    Halves(usize),
    /// `fixed_size_list<float32>` of so many numbers.
    Singles(usize),
    /// `int64`.
    Int64,
    /// `float64`.
    Float64,
    /// `bool`: eight rows to a byte, the first lowest.
    Bool,
}

/// A run of rows.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: usize,
    /// Where the values of each column begin in the file, in bytes.
    pub(super) values: Vec<u64>,
}

const MAGIC: &[u8] = b"ARROW1";

impl Kind {
    /// Bytes of so many rows.
    fn bytes(self, rows: u64) -> Option<u64> {
        match self {
            Self::Halves(dim) => rows.checked_mul(2)?.checked_mul(dim as u64),
            Self::Singles(dim) => rows.checked_mul(4)?.checked_mul(dim as u64),
            Self::Int64 | Self::Float64 => rows.checked_mul(8),
            Self::Bool => Some(rows.div_ceil(8)),
        }
    }

    /// Descriptions and buffers that Arrow has for such a column; the values are the last buffer.
    fn layout(self) -> (usize, usize) {
        match self {
            Self::Halves(_) | Self::Singles(_) => (2, 3),
            _ => (1, 2),
        }
    }

    fn from_field(field: &Field<'_>) -> Option<Self> {
        match field.type_type() {
            Type::Int => {
                field.type_as_int().filter(|x| x.bitWidth() == 64 && x.is_signed()).map(|_| Self::Int64)
            }
            Type::FloatingPoint => is_float(field, Precision::DOUBLE).then_some(Self::Float64),
            Type::Bool => Some(Self::Bool),
            Type::FixedSizeList => {
                let dim = usize::try_from(field.type_as_fixed_size_list()?.listSize()).ok()?;
                let children = field.children().filter(|children| children.len() == 1)?;
                let item = children.get(0);
                let singles = || is_float(&item, Precision::SINGLE).then_some(Self::Singles(dim));
                is_float(&item, Precision::HALF).then_some(Self::Halves(dim)).or_else(singles)
            }
            _ => None,
        }
    }
}

fn is_float(field: &Field<'_>, precision: Precision) -> bool {
    field.type_as_floating_point().is_some_and(|x| x.precision() == precision)
}

impl ArrowFile {
    /// Opens a file and finds its columns and batches.
    pub(super) fn open(path: &Path) -> Result<Self, SnapshotError> {
        let file = File::open(path).map_err(SnapshotError::io(path))?;
        let length = file.metadata().map_err(SnapshotError::io(path))?.len();
        let mut found = Self { file, path: path.into(), columns: Vec::new(), batches: Vec::new() };
        let footer = found.footer(length)?;
        let footer = root_as_footer(&footer).map_err(|e| found.damaged(format!("its footer: {e}")))?;
        let schema = footer.schema().ok_or_else(|| found.damaged("it has no schema"))?;
        if schema.endianness() != Endianness::Little {
            return Err(found.damaged("it is not little-endian"));
        }
        for field in schema.fields().into_iter().flatten() {
            let name = field.name().unwrap_or_default().to_string();
            let kind = Kind::from_field(&field)
                .ok_or_else(|| found.damaged(format!("column {name} has a foreign type")))?;
            found.columns.push(Column { name, kind });
        }
        for block in footer.recordBatches().into_iter().flatten() {
            let batch = found.batch(block, length)?;
            found.batches.push(batch);
        }
        Ok(found)
    }

    /// Reads bytes at a place.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> Result<(), SnapshotError> {
        self.file.read_exact_at(out, at).map_err(SnapshotError::io(&self.path))
    }

    /// An error about this file.
    pub(super) fn damaged(&self, what: impl Into<String>) -> SnapshotError {
        SnapshotError::damaged(&self.path, what)
    }

    /// The bytes of the footer.
    fn footer(&self, length: u64) -> Result<Vec<u8>, SnapshotError> {
        let tail_at = length.checked_sub(10).ok_or_else(|| self.damaged("it is too short"))?;
        let mut tail = [0; 10];
        self.read(tail_at, &mut tail)?;
        if &tail[4..] != MAGIC {
            return Err(self.damaged("it does not end as an Arrow file does"));
        }
        let size = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
        let at =
            tail_at.checked_sub(u64::from(size)).ok_or_else(|| self.damaged("its footer is too long"))?;
        let mut footer = vec![0; size as usize];
        self.read(at, &mut footer)?;
        Ok(footer)
    }

    /// Finds the values of one batch.
    fn batch(&self, block: &Block, length: u64) -> Result<Batch, SnapshotError> {
        let bad = |what: &str| self.damaged(format!("a batch: {what}"));
        let outside = || bad("it lies outside the file");
        let at = u64::try_from(block.offset()).map_err(|_| outside())?;
        let header = u64::try_from(block.metaDataLength()).map_err(|_| outside())?;
        let body = u64::try_from(block.bodyLength()).map_err(|_| outside())?;
        let body_at = at.checked_add(header).ok_or_else(outside)?;
        if body_at.checked_add(body).is_none_or(|end| end > length) {
            return Err(outside());
        }
        let mut message = vec![0; header as usize];
        self.read(at, &mut message)?;
        // A marker and a length of four bytes each stand before the message.
        let message = message.get(8..).ok_or_else(|| bad("no header"))?;
        let message = root_as_message(message).map_err(|e| bad(&e.to_string()))?;
        let record = message.header_as_record_batch().ok_or_else(|| bad("no rows"))?;
        if record.compression().is_some() {
            return Err(bad("it is compressed"));
        }
        let rows = u64::try_from(record.length()).map_err(|_| bad("fewer than no rows"))?;
        if record.nodes().into_iter().flatten().any(|node: &FieldNode| node.null_count() != 0) {
            return Err(bad("it has nulls"));
        }
        let buffers = record.buffers();
        let (mut nodes, mut next, mut values) = (0, 0, Vec::with_capacity(self.columns.len()));
        for Column { name, kind } in &self.columns {
            let odd = |what: &str| bad(&format!("column {name}: {what}"));
            let layout = kind.layout();
            nodes += layout.0;
            next += layout.1;
            let buffers = buffers.as_ref().filter(|all| next <= all.len()).ok_or_else(|| odd("no values"))?;
            let buffer = buffers.get(next - 1);
            let from = u64::try_from(buffer.offset()).map_err(|_| odd("it lies outside the batch"))?;
            let size = u64::try_from(buffer.length()).map_err(|_| odd("it has no length"))?;
            if kind.bytes(rows).is_none_or(|needed| size < needed) {
                return Err(odd("it is too short"));
            }
            if from.checked_add(size).is_none_or(|end| end > body) {
                return Err(odd("it lies outside the batch"));
            }
            values.push(body_at + from);
        }
        if record.nodes().map_or(0, |all| all.len()) != nodes || buffers.map_or(0, |all| all.len()) != next {
            return Err(bad("it does not have the columns of the file"));
        }
        let rows = usize::try_from(rows).map_err(|_| bad("too many rows"))?;
        Ok(Batch { rows, values })
    }
}
