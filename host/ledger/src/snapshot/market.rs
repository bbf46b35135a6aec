//! `market.arrow`: prices, written as they come and read back as a [`Market`].

use super::arrow_file::{ArrowFile, Batch, Kind};
use super::stamps::Stamp;
use super::sums::{self, SummedFile};
use super::{Manifest, SnapshotError};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use mantis_config::Sidx;
use mantis_plugin_api::Market;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows per batch: bounds the memory of the writer.
const BATCH: usize = 8_192;

/// What stands in the file beside the prices, after them.
const NOTES: [(&str, DataType); 4] = [
    ("bad_vectors", DataType::Boolean),
    ("bad_prices", DataType::Boolean),
    ("prices_sum", DataType::Int64),
    ("vectors_sum", DataType::Int64),
];

/// A row but for its prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) sidx: Sidx,
    /// Whether any vector is not all zero.
    pub(super) submitted: bool,
    /// Vectors that were left out.
    pub(super) bad_vectors: bool,
    /// Prices that were left out.
    pub(super) bad_prices: bool,
    /// What the ledger has of the row.
    pub(super) stamp: Stamp,
}

/// Rows in memory, as they were written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// Row by row.
    pub(super) prices: Vec<f64>,
}

/// Writes the file.
pub(super) struct MarketWriter {
    path: PathBuf,
    schema: Arc<Schema>,
    writer: FileWriter<SummedFile>,
    rows: usize,
    lines: Vec<Line>,
    prices: Vec<Vec<f64>>,
}

impl MarketWriter {
    /// Begins the file, replacing an old one.
    pub(super) fn create(path: &Path, assets: &[String], channels: &[String]) -> Result<Self, SnapshotError> {
        let mut fields = vec![
            Field::new("sidx", DataType::Int64, false),
            Field::new("submitted", DataType::Boolean, false),
        ];
        if assets.is_empty() {
            fields.push(Field::new("price", DataType::Float64, false));
        }
        let columns = assets.iter().chain(channels);
        fields.extend(columns.map(|name| Field::new(name, DataType::Float64, false)));
        fields.extend(NOTES.map(|(name, kind)| Field::new(name, kind, false)));
        let schema = Arc::new(Schema::new(fields));
        let writer = FileWriter::try_new(SummedFile::create(path)?, &schema);
        let writer = writer.map_err(SnapshotError::arrow(path))?;
        let prices = vec![Vec::new(); assets.len().max(1) + channels.len()];
        Ok(Self { path: path.into(), schema, writer, rows: 0, lines: Vec::new(), prices })
    }

    /// Adds a row: prices, then channels, one per column, NaN where there is none.
    pub(super) fn push(&mut self, line: Line, prices: &[f64]) -> Result<(), SnapshotError> {
        self.rows += 1;
        self.lines.push(line);
        for (column, price) in self.prices.iter_mut().zip(prices) {
            column.push(*price);
        }
        if self.lines.len() == BATCH { self.flush() } else { Ok(()) }
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Ends the file; gives its checksum.
    pub(super) fn finish(mut self) -> Result<u32, SnapshotError> {
        self.flush()?;
        self.writer.into_inner().map(SummedFile::sum).map_err(SnapshotError::arrow(&self.path))
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let bools = |of: fn(&Line) -> bool| -> ArrayRef {
            Arc::new(BooleanArray::from(lines.iter().map(of).collect::<Vec<_>>()))
        };
        let integers = |of: fn(&Line) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from(lines.iter().map(of).collect::<Vec<_>>()))
        };
        let mut columns = vec![integers(|line| line.sidx.0), bools(|line| line.submitted)];
        for column in &mut self.prices {
            columns.push(Arc::new(Float64Array::from(std::mem::take(column))));
        }
        columns.extend([
            bools(|line| line.bad_vectors),
            bools(|line| line.bad_prices),
            integers(|line| line.stamp.prices),
            integers(|line| line.stamp.vectors),
        ]);
        RecordBatch::try_new(self.schema.clone(), columns)
            .and_then(|batch| self.writer.write(&batch))
            .map_err(SnapshotError::arrow(&self.path))
    }
}

/// Opens the file and checks that it is the one of the manifest.
pub(super) fn open(dir: &Path, manifest: &Manifest) -> Result<ArrowFile, SnapshotError> {
    let columns = manifest.assets.len().max(1) + manifest.channels.len();
    open_file(&dir.join(&manifest.market), columns, manifest.market_rows)
}

/// Opens a file of so many columns of prices and so many rows.
fn open_file(path: &Path, columns: usize, expected: usize) -> Result<ArrowFile, SnapshotError> {
    let file = ArrowFile::open(path)?;
    let prices = std::iter::repeat_n(Kind::Float64, columns);
    let notes = [Kind::Bool, Kind::Bool, Kind::Int64, Kind::Int64];
    let kinds = [Kind::Int64, Kind::Bool].into_iter().chain(prices).chain(notes);
    if !file.columns.iter().map(|column| column.kind).eq(kinds) {
        return Err(file
            .damaged("it does not have the columns sidx, submitted, one per asset and channel, and notes"));
    }
    let rows = file.batches.iter().try_fold(0_usize, |sum, batch| sum.checked_add(batch.rows));
    if rows != Some(expected) {
        return Err(file.damaged(format!("it does not have the {expected} rows that were written")));
    }
    Ok(file)
}

/// Reads a file with this checksum, so many columns of prices and so many rows as it was written.
pub(super) fn read_lines(path: &Path, sum: u32, columns: usize, rows: usize) -> Result<Lines, SnapshotError> {
    let file = open_file(path, columns, rows)?;
    sums::check(&file.file, path, sum)?;
    let mut lines = Lines { lines: Vec::with_capacity(rows), prices: vec![f64::NAN; rows * columns] };
    for batch in &file.batches {
        let first = lines.lines.len();
        let integers =
            |column| Ok::<_, SnapshotError>(words(&file, batch, column)?.into_iter().map(i64::from_le_bytes));
        let bad_vectors = bits(&file, batch, 2 + columns)?;
        let bad_prices = bits(&file, batch, 3 + columns)?;
        let submitted = bits(&file, batch, 1)?;
        let sums = integers(4 + columns)?.zip(integers(5 + columns)?);
        lines.lines.extend(integers(0)?.zip(sums).enumerate().map(|(row, (sidx, (prices, vectors)))| Line {
            sidx: Sidx(sidx),
            submitted: submitted[row],
            bad_vectors: bad_vectors[row],
            bad_prices: bad_prices[row],
            stamp: Stamp { prices, vectors },
        }));
        prices(&file, batch, 2, columns, &mut lines.prices[first * columns..])?;
    }
    if !lines.lines.is_sorted_by(|a, b| a.sidx < b.sidx) {
        return Err(file.damaged("sidx does not ascend"));
    }
    Ok(lines)
}

/// Reads the file that [`open`] returned.
pub(super) fn read(file: &ArrowFile, manifest: &Manifest) -> Result<Market, SnapshotError> {
    let (assets, channels) = (manifest.assets.len().max(1), manifest.channels.len());
    let mut market = Market {
        sidx: Vec::with_capacity(manifest.market_rows),
        prices: vec![f64::NAN; manifest.market_rows * assets],
        assets,
        submitted: Vec::with_capacity(manifest.market_rows),
        scored_rows: manifest.rows,
        channels: vec![f64::NAN; manifest.market_rows * channels],
        facts: manifest.facts.clone(),
        carried: manifest.carried.clone(),
    };
    for batch in &file.batches {
        let first = market.sidx.len();
        market.sidx.extend(words(file, batch, 0)?.into_iter().map(i64::from_le_bytes));
        market.submitted.extend(bits(file, batch, 1)?);
        prices(file, batch, 2, assets, &mut market.prices[first * assets..])?;
        prices(file, batch, 2 + assets, channels, &mut market.channels[first * channels..])?;
    }
    market.submitted.truncate(market.scored_rows);
    if !market.sidx.is_sorted_by(|a, b| a < b) {
        return Err(file.damaged("sidx does not ascend"));
    }
    Ok(market)
}

/// The values of a column of eight bytes each.
fn words(file: &ArrowFile, batch: &Batch, column: usize) -> Result<Vec<[u8; 8]>, SnapshotError> {
    let mut words = vec![[0; 8]; batch.rows];
    file.read(batch.values[column], words.as_flattened_mut())?;
    Ok(words)
}

/// The values of a column of bits.
fn bits(file: &ArrowFile, batch: &Batch, column: usize) -> Result<Vec<bool>, SnapshotError> {
    let mut bytes = vec![0; batch.rows.div_ceil(8)];
    file.read(batch.values[column], &mut bytes)?;
    Ok((0..batch.rows).map(|row| bytes[row / 8] >> (row % 8) & 1 == 1).collect())
}

/// The values of so many columns of prices, into the first rows of a table of so many columns.
fn prices(
    file: &ArrowFile,
    batch: &Batch,
    from: usize,
    width: usize,
    table: &mut [f64],
) -> Result<(), SnapshotError> {
    for place in 0..width {
        let column = words(file, batch, from + place)?;
        for (row, word) in table.chunks_exact_mut(width).zip(column) {
            row[place] = f64::from_le_bytes(word);
        }
    }
    Ok(())
}
