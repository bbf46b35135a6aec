//! Rows become batches of columns.

use super::table::{Column, Kind, schema};
use crate::Vector;
use arrow_array::builder::{
    BooleanBuilder, Float32Builder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
    StringDictionaryBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::sync::Arc;

/// Rows, and numbers in vectors, after which a batch is full: a few megabytes.
const ROWS: usize = 8192;
const NUMBERS: usize = 1 << 19;

/// One value of a row.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// It is missing.
    Null,
    /// A whole number; 0 and 1 of a flag.
    Whole(i64),
    /// A number.
    Real(f64),
    /// A text or a name.
    Text(&'a str),
    /// A miner's numbers.
    Vector(&'a Vector),
}

/// Collects the rows of a table.
pub(super) struct Batch {
    schema: Arc<Schema>,
    columns: Vec<Builder>,
    rows: usize,
    numbers: usize,
}

enum Builder {
    Whole(Int64Builder),
    Real(Float64Builder),
    Flag(BooleanBuilder),
    Text(StringBuilder),
    Name(StringDictionaryBuilder<Int32Type>),
    Vector(ListBuilder<Float32Builder>),
}

impl Batch {
    pub(super) fn new(columns: &[Column]) -> Self {
        let builders = columns.iter().map(Builder::new).collect();
        Self { schema: Arc::new(schema(columns)), columns: builders, rows: 0, numbers: 0 }
    }

    pub(super) fn schema(&self) -> Arc<Schema> {
        self.schema.clone()
    }

    /// Adds a row: a value for every column. One that does not fit its column is taken as missing, or as zero or empty
    /// where it may not be: SQLite's columns have no types.
    pub(super) fn push(&mut self, row: &[Value<'_>]) {
        for (at, column) in self.columns.iter_mut().enumerate() {
            let nullable = self.schema.field(at).is_nullable();
            self.numbers += column.push(row.get(at).copied().unwrap_or(Value::Null), nullable);
        }
        self.rows += 1;
    }

    /// Whether it is time to take it.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.numbers >= NUMBERS
    }

    /// Rows that are in it.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The rows so far; it is empty then.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.rows, self.numbers) = (0, 0);
        RecordBatch::try_new(self.schema.clone(), self.columns.iter_mut().map(Builder::finish).collect())
    }
}

impl Builder {
    fn new(column: &Column) -> Self {
        match column.kind {
            Kind::Whole => Self::Whole(Int64Builder::new()),
            Kind::Real => Self::Real(Float64Builder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Name => Self::Name(StringDictionaryBuilder::new()),
            Kind::Vector => {
                let item = Field::new("item", DataType::Float32, false);
                Self::Vector(ListBuilder::new(Float32Builder::new()).with_field(item))
            }
        }
    }

    /// Adds a value; gives how many numbers of vectors it was.
    fn push(&mut self, value: Value<'_>, nullable: bool) -> usize {
        match self {
            Self::Whole(column) => column.append_option(whole(value).or((!nullable).then_some(0))),
            Self::Real(column) => column.append_option(real(value).or((!nullable).then_some(f64::NAN))),
            Self::Flag(column) => column.append_value(whole(value).is_some_and(|flag| flag != 0)),
            Self::Text(column) => column.append_option(text(value).or((!nullable).then_some(""))),
            Self::Name(column) => column.append_option(text(value).or((!nullable).then_some(""))),
            Self::Vector(column) => {
                let Value::Vector(vector) = value else {
                    column.append(true);
                    return 0;
                };
                vector.to_f32().into_iter().for_each(|number| column.values().append_value(number));
                column.append(true);
                return vector.len();
            }
        }
        0
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Whole(column) => Arc::new(column.finish()),
            Self::Real(column) => Arc::new(column.finish()),
            Self::Flag(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::Name(column) => Arc::new(column.finish()),
            Self::Vector(column) => Arc::new(column.finish()),
        }
    }
}

fn whole(value: Value<'_>) -> Option<i64> {
    if let Value::Whole(x) = value { Some(x) } else { None }
}

fn real(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Real(x) => Some(x),
        Value::Whole(x) => Some(x as f64),
        _ => None,
    }
}

fn text(value: Value<'_>) -> Option<&str> {
    if let Value::Text(x) = value { Some(x) } else { None }
}
