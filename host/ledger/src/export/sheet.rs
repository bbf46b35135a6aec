//! A table that is not the ledger's own: what was computed from it, in the same form.

use super::batch::{Batch, Value};
use super::file::Writer;
use super::table::Column;
use super::{ExportError, Format};
use arrow_schema::ArrowError;
use std::path::{Path, PathBuf};

/// A table that is being written, under its name only when it is whole.
pub struct Sheet {
    path: PathBuf,
    batch: Batch,
    writer: Writer,
    rows: u64,
}

impl Sheet {
    /// Begins a file; its form is what its name says, else Parquet.
    ///
    /// # Errors
    /// If nothing can be written beside its place.
    pub fn create(path: &Path, columns: &[Column]) -> Result<Self, ExportError> {
        let batch = Batch::new(columns);
        let writer = Writer::create(path, Format::from_path(path).unwrap_or_default(), batch.schema())?;
        Ok(Self { path: path.into(), batch, writer, rows: 0 })
    }

    /// Adds a row: a value for every column, in their order. One that does not fit its column counts as missing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn push(&mut self, row: &[Value<'_>]) -> Result<(), ExportError> {
        self.batch.push(row);
        self.rows += 1;
        if self.batch.is_full() { self.write() } else { Ok(()) }
    }

    /// Ends the file and gives it its name; gives its rows. A file of that name stays unless `force` says otherwise.
    ///
    /// # Errors
    /// [`ExportError::Exists`], or if the file cannot be written.
    pub fn finish(mut self, force: bool) -> Result<u64, ExportError> {
        if self.batch.rows() > 0 {
            self.write()?;
        }
        self.writer.finish(force)?;
        Ok(self.rows)
    }

    fn write(&mut self) -> Result<(), ExportError> {
        let refused =
            |error: ArrowError| ExportError::Format { path: self.path.clone(), reason: error.to_string() };
        let batch = self.batch.take().map_err(refused)?;
        self.writer.write(&batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Kind;
    use std::fs;

    #[test]
    fn rows_come_in_the_order_of_the_columns_and_a_file_that_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let columns = [Column::new("hotkey", Kind::Name), Column::new("weight", Kind::Real)];
        let write = |weight: f64, force: bool| {
            let mut sheet = Sheet::create(&path, &columns).unwrap();
            sheet.push(&[Value::Text("5A"), Value::Real(weight)]).unwrap();
            sheet.finish(force)
        };
        assert_eq!(write(0.1 + 0.2, false).unwrap(), 1);
        assert!(matches!(write(1.0, false), Err(ExportError::Exists { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "hotkey,weight\n5A,0.30000000000000004\n");
        assert_eq!(write(1.0, true).unwrap(), 1);
        assert!(fs::read_to_string(&path).unwrap().ends_with("5A,1.0\n"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
