//! One of a few words, and true or false.

use super::Kind;
use crate::source::{TomlTable, closest};

/// One of a few words, each with what it means.
pub(crate) struct Words<T: 'static>(pub(crate) &'static [(&'static str, T)]);

/// True or false.
pub(crate) struct Flag;

impl<T: Copy + PartialEq> Kind<T> for Words<T> {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<T> {
        let value = table.get(key)?;
        let Some(text) = value.get_ref().as_str() else {
            table.wrong_type(key, value, &self.allowed());
            return None;
        };
        let found = self.0.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<_> = self.0.iter().map(|(word, _)| *word).collect();
            let found = format!("{} is not allowed", table.written(value));
            table.push(value.span().start, key, found, &self.allowed(), closest(text, &known));
        }
        found.map(|(_, meaning)| *meaning)
    }

    fn allowed(&self) -> String {
        self.0.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
    }

    fn shown(&self, value: &T) -> String {
        let word = self.0.iter().find(|(_, meaning)| meaning == value).map_or("", |(word, _)| word);
        format!("`\"{word}\"`")
    }
}

impl Kind<bool> for Flag {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            table.wrong_type(key, value, &self.allowed());
        }
        read
    }

    fn allowed(&self) -> String {
        "true or false".into()
    }

    fn shown(&self, value: &bool) -> String {
        format!("`{value}`")
    }
}
