//! A guest's embeddings as a table: Parquet or CSV, a line per row of a challenge, in the columns that `mantis export` gives
//! submissions, or with a column for each number.
//!
//! [`read`] hands the lines over one after the other; what they mean to a challenge is judged by who takes them.

mod comma;
mod error;
mod header;
mod line;
mod parquet;

#[cfg(test)]
mod read_test;

pub use error::GuestFileError;
pub use line::{At, GuestLine};

use std::path::Path;

/// Hands every line of a table to `visit`, in the file's order. Its name says which form it has.
///
/// # Errors
/// [`GuestFileError`] where the file cannot be read or a line is none of a table of embeddings, and those of `visit`.
pub fn read<E: From<GuestFileError>>(
    path: &Path,
    visit: impl FnMut(GuestLine<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => parquet::read(path, visit),
        Some("csv") => comma::read(path, visit),
        _ => Err(GuestFileError::Form { path: path.into() }.into()),
    }
}
