//! Tables as Parquet.

use super::header::{Header, Numbers, check};
use super::{At, GuestFileError, GuestLine};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use mantis_config::{Block, Sidx};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;

/// Lines that are read at once.
const LINES: usize = 1024;

/// As [`super::read`].
pub(super) fn read<E: From<GuestFileError>>(
    path: &Path,
    mut visit: impl FnMut(GuestLine<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |reason: String| GuestFileError::Damaged { path: path.into(), form: "Parquet", reason };
    let file = File::open(path).map_err(|reason| GuestFileError::Io { path: path.into(), reason })?;
    // Types as the file has them, whatever the program that wrote it called them.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader =
        guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)).map_err(damaged)?;
    let schema = reader.schema().clone();
    let header = Header::new(schema.fields().iter().map(|field| field.name().as_str()))
        .and_then(|header| check_types(&header, &schema).map(|()| header))
        .map_err(|reason| GuestFileError::Columns { path: path.into(), reason })?;
    let mut batches = guarded(|| reader.with_batch_size(LINES).build()).map_err(damaged)?;
    let (mut numbers, mut missing, mut row) = (Vec::new(), Vec::new(), 0);
    while let Some(batch) =
        guarded(|| batches.next().transpose().map_err(ParquetError::from)).map_err(damaged)?
    {
        for place in 0..batch.num_rows() {
            row += 1;
            let line = line(&header, &batch, place, row, (&mut numbers, &mut missing));
            visit(line.map_err(|reason| GuestFileError::Line { path: path.into(), row, reason })?)?;
        }
    }
    Ok(())
}

/// What the library of the form reads, or why it does not. It panics on some files that are damaged.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(read));
    set_hook(hook);
    match outcome {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("it is damaged".into()),
    }
}

/// Refuses columns of other types than they must have.
fn check_types(header: &Header, schema: &arrow_schema::Schema) -> Result<(), String> {
    let check = |place: usize, fits: fn(&DataType) -> bool, wanted: &str| {
        let field = schema.field(place);
        let (name, kind) = (field.name(), field.data_type());
        if fits(kind) { Ok(()) } else { Err(format!("the column `{name}` has {kind}, not {wanted}")) }
    };
    let whole = |kind: &DataType| kind.is_integer();
    for place in [header.block, header.sidx].into_iter().flatten() {
        check(place, whole, "whole numbers")?;
    }
    for place in [header.challenge, header.hotkey].into_iter().flatten() {
        check(place, |kind| *kind == DataType::Utf8, "text")?;
    }
    match &header.numbers {
        Numbers::List(place) => check(
            *place,
            |kind| matches!(kind, DataType::List(item) if is_number(item.data_type())),
            "lists of numbers",
        ),
        Numbers::Columns(places) => places.iter().try_for_each(|place| check(*place, is_number, "numbers")),
    }
}

/// Whether [`number`] reads it.
fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_floating()
}

fn line<'a>(
    header: &Header,
    batch: &'a RecordBatch,
    place: usize,
    row: u64,
    (numbers, missing): (&'a mut Vec<f64>, &mut Vec<bool>),
) -> Result<GuestLine<'a>, String> {
    let at = match (whole(batch, header.block, place)?, whole(batch, header.sidx, place)?) {
        (Some(block), _) => At::Block(Block(block)),
        (None, Some(sidx)) => At::Sidx(Sidx(sidx)),
        (None, None) => return Err("it says neither `block` nor `sidx`".into()),
    };
    numbers.clear();
    missing.clear();
    match &header.numbers {
        Numbers::List(column) => {
            let lists = batch.column(*column).as_list::<i32>();
            if !lists.is_null(place) {
                let list = lists.value(place);
                numbers.extend((0..list.len()).map(|i| number(list.as_ref(), i).unwrap_or(f64::NAN)));
                missing.resize(numbers.len(), false);
            }
        }
        Numbers::Columns(columns) => {
            for column in columns {
                let number = number(batch.column(*column).as_ref(), place);
                missing.push(number.is_none());
                numbers.push(number.unwrap_or(f64::NAN));
            }
        }
    }
    check(numbers, missing)?;
    let text = |column: Option<usize>| {
        let texts = batch.column(column?).as_string::<i32>();
        (!texts.is_null(place)).then(|| texts.value(place)).filter(|text| !text.is_empty())
    };
    Ok(GuestLine { row, at, challenge: text(header.challenge), hotkey: text(header.hotkey), numbers })
}

fn whole(batch: &RecordBatch, column: Option<usize>, place: usize) -> Result<Option<i64>, String> {
    let Some(column) = column.map(|column| batch.column(column)).filter(|column| !column.is_null(place))
    else {
        return Ok(None);
    };
    Ok(Some(match column.data_type() {
        DataType::Int8 => column.as_primitive::<Int8Type>().value(place).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(place).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(place).into(),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(place).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(place).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(place).into(),
        DataType::UInt64 => {
            let number = column.as_primitive::<UInt64Type>().value(place);
            i64::try_from(number).map_err(|_| format!("{number} is no block"))?
        }
        _ => column.as_primitive::<Int64Type>().value(place),
    }))
}

/// A number of a column; `None` where it is missing.
fn number(column: &dyn Array, place: usize) -> Option<f64> {
    if column.is_null(place) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Float16 => column.as_primitive::<Float16Type>().value(place).to_f64(),
        DataType::Float32 => column.as_primitive::<Float32Type>().value(place).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(place),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(place).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(place).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(place).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(place) as f64,
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(place).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(place).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(place).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(place) as f64,
        _ => return None,
    })
}
