//! A table of the file.

use super::{SourceFile, closest};
use crate::fault::Fault;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

/// A table of the file: gives values by key, and takes faults of keys.
pub(crate) struct TomlTable<'a> {
    pub(crate) file: &'a SourceFile<'a>,
    pub(crate) entries: &'a DeTable<'a>,
    /// How people see it: `[network]`; empty for the top of the file.
    pub(crate) label: String,
    /// Its path from the top, with a dot at the end unless it is the top.
    pub(crate) path: String,
    /// Where it begins, a byte offset.
    pub(crate) start: usize,
}

impl<'a> TomlTable<'a> {
    /// The top of the file.
    pub(crate) fn top(file: &'a SourceFile<'a>, entries: &'a DeTable<'a>) -> Self {
        Self { file, entries, label: String::new(), path: String::new(), start: 0 }
    }

    /// Whether the table has the key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.entries.get(key)
    }

    /// The table under `key`; `None` if there is none, or another value, which is reported.
    pub(crate) fn table(&self, key: &str) -> Option<Self> {
        let label = if self.label.is_empty() { format!("[{key}]") } else { self.label.clone() };
        let path = format!("{}{key}.", self.path);
        self.table_as(key, label, path)
    }

    /// The table under `key`, under a label and path of the caller's.
    pub(crate) fn table_as(&self, key: &str, label: String, path: String) -> Option<Self> {
        let value = self.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table");
            return None;
        };
        Some(Self { file: self.file, entries, label, path, start: value.span().start })
    }

    /// Reports keys that are not `known`; gives back those that were probably meant.
    pub(crate) fn refuse_unknown(&self, known: &[&str]) -> Vec<String> {
        let unknown = self.entries.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        let report = |key: &Spanned<DeString<'_>>| {
            let meant = closest(key.get_ref(), known);
            self.push(key.span().start, key.get_ref(), "no such key", &known.join(", "), meant.clone());
            meant
        };
        unknown.filter_map(report).collect()
    }

    /// Reports a fault of `key`, where its value begins.
    pub(crate) fn fault(&self, key: &str, found: impl Into<String>, allowed: &str) {
        self.push(self.offset(key), key, found, allowed, None);
    }

    /// Reports a value of another type; `at` is the key, or an element of its list.
    pub(crate) fn wrong_type(&self, at: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        let found = match value.get_ref() {
            DeValue::Table(_) => "a table".into(),
            DeValue::Array(_) => "a list".into(),
            other => format!("{} is {}", self.written(value), type_name(other)),
        };
        self.push(value.span().start, at, found, allowed, None);
    }

    /// Reports a value of the right type that is not allowed.
    pub(crate) fn not_allowed(&self, at: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        let found = format!("{} is not allowed", self.written(value));
        self.push(value.span().start, at, found, allowed, None);
    }

    /// Reports a fault at a byte offset.
    pub(crate) fn push(
        &self,
        offset: usize,
        key: &str,
        found: impl Into<String>,
        allowed: &str,
        meant: Option<String>,
    ) {
        let fault = Fault {
            file: String::new(),
            line: 0,
            column: 0,
            table: self.label.clone(),
            key: key.into(),
            path: format!("{}{key}", self.path),
            found: found.into(),
            allowed: allowed.into(),
            meant,
        };
        self.file.push(offset, fault);
    }

    /// Where the value of `key` begins, or the table if it has none.
    pub(crate) fn offset(&self, key: &str) -> usize {
        self.get(key).map_or(self.start, |value| value.span().start)
    }

    /// The value as it is written.
    pub(crate) fn written(&self, value: &Spanned<DeValue<'_>>) -> String {
        self.file.written(value.span())
    }
}

/// The type of a value in plain words.
pub(crate) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
