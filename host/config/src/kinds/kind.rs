//! What every kind of value can do.

use crate::source::TomlTable;

/// A kind of value: a type, with the values of it that a key may have.
pub(crate) trait Kind<T> {
    /// Reads the value of `key`; `None` if the table has none, or a faulty one, which is reported.
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<T>;

    /// What is allowed, as a phrase for messages and the documentation: `a whole number from 0 to 65535`.
    fn allowed(&self) -> String;

    /// A value in Markdown, for the column of defaults.
    fn shown(&self, value: &T) -> String;
}

/// A value of the kind, or none.
pub(crate) struct Optional<K>(pub(crate) K);

impl<T, K: Kind<T>> Kind<Option<T>> for Optional<K> {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Option<T>> {
        self.0.read(table, key).map(Some)
    }

    fn allowed(&self) -> String {
        self.0.allowed()
    }

    fn shown(&self, value: &Option<T>) -> String {
        value.as_ref().map_or_else(|| "none".into(), |value| self.0.shown(value))
    }
}
