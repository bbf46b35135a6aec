//! Files of either form, written under another name until they are whole.

use super::ExportError;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Bytes of a row group at most, before compression: memory is taken for one at a time.
const GROUP_BYTES: usize = 32 << 20;
/// Rows of a row group at most.
const GROUP_ROWS: usize = 1 << 20;

/// The form of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet, compressed with zstd.
    #[default]
    Parquet,
    /// Comma-separated values with a header; vectors are JSON lists, what is missing is empty.
    Csv,
}

impl Format {
    /// The end of the files' names, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }

    /// The form that a file's name says.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        [Self::Parquet, Self::Csv].into_iter().find(|format| extension == format.extension())
    }
}

/// A file that is being written.
pub(super) struct Writer {
    path: PathBuf,
    form: Form,
}

enum Form {
    Parquet(Box<ArrowWriter<NamedTempFile>>),
    Csv(Box<csv::Writer<BufWriter<NamedTempFile>>>),
}

impl Writer {
    /// Begins a file beside the place it will have.
    pub(super) fn create(path: &Path, format: Format, schema: Arc<Schema>) -> Result<Self, ExportError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let io = |source| ExportError::Io { path: path.into(), source };
        let file =
            tempfile::Builder::new().prefix(".export-").suffix(".tmp").tempfile_in(folder).map_err(io)?;
        let refused = |reason: String| ExportError::Format { path: path.into(), reason };
        let form = match format {
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .set_max_row_group_bytes(Some(GROUP_BYTES))
                    .build();
                let writer = ArrowWriter::try_new(file, schema, Some(properties));
                Form::Parquet(Box::new(writer.map_err(|error| refused(error.to_string()))?))
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(BufWriter::new(file));
                let names = schema.fields().iter().map(|field| field.name());
                writer.write_record(names).map_err(|error| refused(error.to_string()))?;
                Form::Csv(Box::new(writer))
            }
        };
        Ok(Self { path: path.into(), form })
    }

    /// Adds rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        match &mut self.form {
            Form::Parquet(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Form::Csv(writer) => write_csv(writer, batch).map_err(|error| error.to_string()),
        }
        .map_err(|reason| ExportError::Format { path: self.path.clone(), reason })
    }

    /// Ends the file and gives it its name; gives its length in bytes. A file of that name stays unless `force` says
    /// otherwise.
    pub(super) fn finish(self, force: bool) -> Result<u64, ExportError> {
        let path = self.path;
        let refused = |reason: String| ExportError::Format { path: path.clone(), reason };
        let io = |source| ExportError::Io { path: path.clone(), source };
        let file = match self.form {
            Form::Parquet(writer) => writer.into_inner().map_err(|error| refused(error.to_string()))?,
            Form::Csv(writer) => {
                let buffer = writer.into_inner().map_err(|error| refused(error.to_string()))?;
                let mut file = buffer.into_inner().map_err(|error| io(error.into_error()))?;
                file.flush().map_err(io)?;
                file
            }
        };
        let bytes = file.as_file().metadata().map_err(io)?.len();
        readable(&file).map_err(io)?;
        file.as_file().sync_all().map_err(io)?;
        let named = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
        match named {
            Ok(_) => Ok(bytes),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(ExportError::Exists { path })
            }
            Err(error) => Err(io(error.error)),
        }
    }
}

/// Temporary files are their owner's alone; what is exported is for others to read, as the network's ledgers are.
#[cfg(unix)]
fn readable(file: &NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &NamedTempFile) -> std::io::Result<()> {
    Ok(())
}

fn write_csv(writer: &mut csv::Writer<BufWriter<NamedTempFile>>, batch: &RecordBatch) -> csv::Result<()> {
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        for column in batch.columns() {
            text.clear();
            show(column.as_ref(), row, &mut text);
            writer.write_field(&text)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

/// A value as text: the shortest that reads back as the same number.
fn show(column: &dyn Array, row: usize, into: &mut String) {
    use std::fmt::Write as _;
    if column.is_null(row) {
        return;
    }
    // Writing to a string cannot fail.
    let _ = match column.data_type() {
        DataType::Int64 => write!(into, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => write!(into, "{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => write!(into, "{}", column.as_boolean().value(row)),
        DataType::Utf8 => into.write_str(column.as_string::<i32>().value(row)),
        DataType::Dictionary(..) => {
            let names = column.as_dictionary::<Int32Type>();
            names.key(row).map_or(Ok(()), |key| into.write_str(names.values().as_string::<i32>().value(key)))
        }
        _ => {
            let vector = column.as_list::<i32>().value(row);
            into.push('[');
            for (at, x) in vector.as_primitive::<Float32Type>().values().iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let _ = write!(into, "{comma}{x:?}");
            }
            into.write_str("]")
        }
    };
}
