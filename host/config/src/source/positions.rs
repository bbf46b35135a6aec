//! Where keys are written.

use super::SourceFile;
use crate::fault::KeyPositions;
use toml::{Spanned, de::DeValue};

/// Tables and lists within each other, in parameters; plugins use one or two.
pub(crate) const DEEPEST: usize = 16;

/// Adds the position of the value at `path`, and of what lies in it: `path.key`, `path[0]`.
pub(crate) fn insert_positions(
    positions: &mut KeyPositions,
    file: &SourceFile<'_>,
    path: &str,
    value: &Spanned<DeValue<'_>>,
) {
    insert(positions, file, path, value, DEEPEST);
}

fn insert(
    positions: &mut KeyPositions,
    file: &SourceFile<'_>,
    path: &str,
    value: &Spanned<DeValue<'_>>,
    deeper: usize,
) {
    positions.insert(path.to_owned(), file.position(value.span().start));
    if deeper == 0 {
        return;
    }
    match value.get_ref() {
        DeValue::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                insert(positions, file, &format!("{path}[{i}]"), item, deeper - 1);
            }
        }
        DeValue::Table(entries) => {
            for (key, item) in entries {
                insert(positions, file, &format!("{path}.{}", key.get_ref()), item, deeper - 1);
            }
        }
        _ => {}
    }
}
