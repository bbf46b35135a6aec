//! Answers as a file of embeddings, which `mantis salience` takes.

use crate::feed::Feed;
use crate::stored::Stored;
use crate::walk::{Answers, Path};
use mantis_ledger::Vector;
use mantis_ledger::export::{Column, ExportError, Kind, Sheet, Value};
use std::path::Path as File;

/// Writes what was sent in each row that a validator would have stored: `block`, `ticker`, `vector`; the file's name says
/// the form. Gives the rows.
///
/// # Errors
/// If the file cannot be written, or is there and `force` does not say otherwise.
pub fn write(
    file: &File,
    force: bool,
    ticker: &str,
    feed: &Feed<'_>,
    path: Path,
    answers: &Answers,
    stored: &Stored,
) -> Result<u64, ExportError> {
    let columns = [
        Column::new("block", Kind::Whole),
        Column::new("ticker", Kind::Name),
        Column::new("vector", Kind::Vector),
    ];
    let mut sheet = Sheet::create(file, &columns)?;
    let ends = answers.rows.iter().skip(1).copied().chain([path.until]);
    for ((first, numbers), end) in answers.rows.iter().zip(&answers.numbers).zip(ends) {
        let vector = Vector::F32(numbers.clone());
        for row in (*first..end).filter(|row| stored.rows.contains_key(row)) {
            sheet.push(&[Value::Whole(feed.block(row)), Value::Text(ticker), Value::Vector(&vector)])?;
        }
    }
    sheet.finish(force)
}
