//! `market.arrow`: prices, written as they come and read back as a [`Market`].

use super::arrow_file::{ArrowFile, Batch, Kind};
use super::{MARKET, Manifest, SnapshotError};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use mantis_config::Sidx;
use mantis_plugin_api::Market;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows per batch: bounds the memory of the writer.
const BATCH: usize = 8_192;

/// Writes the file.
pub(super) struct MarketWriter {
    path: PathBuf,
    schema: Arc<Schema>,
    writer: FileWriter<File>,
    rows: usize,
    sidx: Vec<i64>,
    submitted: Vec<bool>,
    prices: Vec<Vec<f64>>,
}

impl MarketWriter {
    /// Begins the file, replacing an old one.
    pub(super) fn create(dir: &Path, assets: &[String], channels: &[String]) -> Result<Self, SnapshotError> {
        let path = dir.join(MARKET);
        let mut fields = vec![
            Field::new("sidx", DataType::Int64, false),
            Field::new("submitted", DataType::Boolean, false),
        ];
        if assets.is_empty() {
            fields.push(Field::new("price", DataType::Float64, false));
        }
        let columns = assets.iter().chain(channels);
        fields.extend(columns.map(|name| Field::new(name, DataType::Float64, false)));
        let schema = Arc::new(Schema::new(fields));
        let file = File::create(&path).map_err(SnapshotError::io(&path))?;
        let writer = FileWriter::try_new(file, &schema).map_err(SnapshotError::arrow(&path))?;
        let prices = vec![Vec::new(); assets.len().max(1) + channels.len()];
        Ok(Self { path, schema, writer, rows: 0, sidx: Vec::new(), submitted: Vec::new(), prices })
    }

    /// Adds a row: prices, then channels, one per column, NaN where there is none.
    pub(super) fn push(&mut self, sidx: Sidx, submitted: bool, prices: &[f64]) -> Result<(), SnapshotError> {
        self.rows += 1;
        self.sidx.push(sidx.0);
        self.submitted.push(submitted);
        for (column, price) in self.prices.iter_mut().zip(prices) {
            column.push(*price);
        }
        if self.sidx.len() == BATCH { self.flush() } else { Ok(()) }
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<(), SnapshotError> {
        self.flush()?;
        self.writer.finish().map_err(SnapshotError::arrow(&self.path))
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        if self.sidx.is_empty() {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.sidx))),
            Arc::new(BooleanArray::from(std::mem::take(&mut self.submitted))),
        ];
        for column in &mut self.prices {
            columns.push(Arc::new(Float64Array::from(std::mem::take(column))));
        }
        RecordBatch::try_new(self.schema.clone(), columns)
            .and_then(|batch| self.writer.write(&batch))
            .map_err(SnapshotError::arrow(&self.path))
    }
}

/// Opens the file and checks that it is the one of the manifest.
pub(super) fn open(dir: &Path, manifest: &Manifest) -> Result<ArrowFile, SnapshotError> {
    let file = ArrowFile::open(&dir.join(MARKET))?;
    let columns = manifest.assets.len().max(1) + manifest.channels.len();
    let kinds = [Kind::Int64, Kind::Bool].into_iter().chain(std::iter::repeat_n(Kind::Float64, columns));
    if !file.columns.iter().map(|column| column.kind).eq(kinds) {
        return Err(
            file.damaged("it does not have the columns sidx, submitted and one per asset and channel")
        );
    }
    let rows = file.batches.iter().try_fold(0_usize, |sum, batch| sum.checked_add(batch.rows));
    if rows != Some(manifest.market_rows) {
        return Err(file.damaged(format!("snapshot.json says that it has {} rows", manifest.market_rows)));
    }
    Ok(file)
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
        let mut bits = vec![0; batch.rows.div_ceil(8)];
        file.read(batch.values[1], &mut bits)?;
        market.submitted.extend((0..batch.rows).map(|row| bits[row / 8] >> (row % 8) & 1 == 1));
        let tables = [(&mut market.prices, 2, assets), (&mut market.channels, 2 + assets, channels)];
        for (numbers, from, width) in tables {
            let block = &mut numbers[first * width..(first + batch.rows) * width];
            for place in 0..width {
                let column = words(file, batch, from + place)?;
                for (row, word) in block.chunks_exact_mut(width).zip(column) {
                    row[place] = f64::from_le_bytes(word);
                }
            }
        }
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
