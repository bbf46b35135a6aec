//! Strings, lists of strings, and what is written as a string.

use super::Kind;
use crate::bare_url;
use crate::source::TomlTable;
use std::{collections::BTreeSet, path::PathBuf};
use toml::{Spanned, de::DeValue};

/// Strings: what is allowed, as a phrase and as a check.
#[derive(Clone, Copy)]
pub(crate) struct TextKind {
    pub(crate) allowed: &'static str,
    pub(crate) fits: fn(&str) -> bool,
    /// Whether it is a URL, of which messages show a part only.
    pub(crate) is_url: bool,
}

/// Characters of a URL in a message.
const LONGEST_URL: usize = 80;

/// A list of different strings, at least one.
pub(crate) struct ListOf(pub(crate) TextKind);

/// The path of a folder.
pub(crate) struct Folder;

/// Bytes in hex, as many as the type has.
pub(crate) struct Hex;

impl TextKind {
    /// Reads one string; `at` is the key, or an element of its list.
    fn read_value<'a>(
        &self,
        table: &TomlTable<'_>,
        at: &str,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Option<&'a str> {
        let Some(read) = value.get_ref().as_str() else {
            table.wrong_type(at, value, self.allowed);
            return None;
        };
        if !(self.fits)(read) {
            let found = format!("{} is not allowed", self.written(table, value));
            table.push(value.span().start, at, found, self.allowed, None);
            return None;
        }
        Some(read)
    }

    /// The value as it is written, or as much of it as may be shown.
    fn written(&self, table: &TomlTable<'_>, value: &Spanned<DeValue<'_>>) -> String {
        match value.get_ref().as_str() {
            Some(url) if self.is_url => {
                format!("{:?}", bare_url(url).chars().take(LONGEST_URL).collect::<String>())
            }
            _ => table.written(value),
        }
    }
}

impl Kind<String> for TextKind {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<String> {
        self.read_value(table, key, table.get(key)?).map(String::from)
    }

    fn allowed(&self) -> String {
        self.allowed.into()
    }

    fn shown(&self, value: &String) -> String {
        format!("`{value:?}`")
    }
}

impl TextKind {
    /// Reads a list of one element or more, as far as `takes` each of them: the table, where the element stands, the element.
    pub(super) fn read_elements<'a>(
        &self,
        table: &'a TomlTable<'_>,
        key: &str,
        allowed: &str,
        mut takes: impl FnMut(&str, &'a Spanned<DeValue<'a>>, &'a str) -> bool,
    ) -> Option<Vec<String>> {
        let value = table.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            table.wrong_type(key, value, allowed);
            return None;
        };
        if items.is_empty() {
            table.fault(key, "the list is empty", allowed);
            return None;
        }
        // Every element is looked at, so that every fault is reported.
        let mut good = true;
        for (i, item) in items.iter().enumerate() {
            let at = format!("{key}[{i}]");
            good &= self.read_value(table, &at, item).is_some_and(|text| takes(&at, item, text));
        }
        good.then(|| items.iter().filter_map(|item| item.get_ref().as_str()).map(String::from).collect())
    }
}

impl Kind<Vec<String>> for ListOf {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        self.0.read_elements(table, key, &self.allowed(), |at, item, text| {
            let is_new = seen.insert(text);
            if !is_new {
                let found = format!("{} is in the list twice", self.0.written(table, item));
                table.push(item.span().start, at, found, "each string once", None);
            }
            is_new
        })
    }

    fn allowed(&self) -> String {
        format!("a list without repeats, each element {}", self.0.allowed)
    }

    fn shown(&self, value: &Vec<String>) -> String {
        format!("`{value:?}`")
    }
}

impl Kind<PathBuf> for Folder {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<PathBuf> {
        FOLDER.read(table, key).map(PathBuf::from)
    }

    fn allowed(&self) -> String {
        FOLDER.allowed()
    }

    fn shown(&self, value: &PathBuf) -> String {
        format!("`{value:?}`")
    }
}

const FOLDER: TextKind = TextKind {
    allowed: "a string, the path of a folder",
    fits: |s| !s.is_empty() && !s.contains('\0'),
    is_url: false,
};

impl<const N: usize> Kind<[u8; N]> for Hex {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<[u8; N]> {
        let value = table.get(key)?;
        let allowed = Kind::<[u8; N]>::allowed(self);
        let Some(text) = value.get_ref().as_str() else {
            table.wrong_type(key, value, &allowed);
            return None;
        };
        let bytes = bytes_of_hex(text);
        if bytes.is_none() {
            let found =
                format!("{} is not allowed ({} characters)", table.written(value), text.chars().count());
            table.push(value.span().start, key, found, &allowed, None);
        }
        bytes
    }

    fn allowed(&self) -> String {
        format!("a string of {} hex digits", 2 * N)
    }

    /// The first bytes: they tell keys apart, and a column has no room for more.
    fn shown(&self, value: &[u8; N]) -> String {
        format!("`\"{}...\"`", hex::encode(&value[..N.min(4)]))
    }
}

/// The bytes of a constant of this crate; its tests see to the digits.
pub(crate) fn bytes_of<const N: usize>(digits: &str) -> [u8; N] {
    bytes_of_hex(digits).unwrap_or([0; N])
}

fn bytes_of_hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hex_of_either_case() {
        assert_eq!(bytes_of_hex("0aFF"), Some([10, 255]));
        assert_eq!(bytes_of_hex::<2>("0aF"), None);
        assert_eq!(bytes_of_hex::<2>("+aFF"), None);
        assert_eq!(bytes_of_hex::<2>("é12"), None);
        assert_eq!(bytes_of_hex::<2>("0aFF00"), None);
    }
}
