//! A typed reader over TOML tables that keeps places and collects faults instead of stopping at the first.

use super::fault::{Fault, Place};
use std::{cell::RefCell, collections::BTreeSet, fmt::Display, ops::Range, ops::RangeInclusive};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

/// A file's text and the faults found in it so far.
pub(super) struct Doc<'i> {
    file: String,
    text: &'i str,
    faults: RefCell<Vec<Fault>>,
}

/// One table of the file.
pub(super) struct Table<'a> {
    pub(super) doc: &'a Doc<'a>,
    pub(super) entries: &'a DeTable<'a>,
    /// How people see it: `[network]`; empty for the top of the file.
    pub(super) label: String,
    /// Its path from the top, with a dot at the end unless it is the top.
    pub(super) path: String,
    /// Where it begins, a byte offset.
    pub(super) start: usize,
}

/// A string that a key may have, as a phrase and as a check.
pub(super) struct Text {
    pub(super) allowed: &'static str,
    pub(super) fits: fn(&str) -> bool,
}

impl<'i> Doc<'i> {
    pub(super) fn new(file: String, text: &'i str) -> Self {
        Self { file, text, faults: RefCell::default() }
    }

    /// The faults, in the order of their places.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| (fault.line, fault.column));
        faults
    }

    /// The place of a byte offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1,
        }
    }

    /// What is written there, cut to one line of at most 80 characters.
    pub(super) fn written(&self, span: Range<usize>) -> String {
        let text = self.text.get(span).unwrap_or_default();
        let short: String = text.chars().take_while(|c| *c != '\n').take(80).collect();
        if short.len() < text.len() { format!("{}...", short.trim_end()) } else { short }
    }

    pub(super) fn push(&self, offset: usize, fault: Fault) {
        let Place { line, column } = self.place(offset);
        self.faults.borrow_mut().push(Fault { file: self.file.clone(), line, column, ..fault });
    }
}

impl<'a> Table<'a> {
    /// The top of the file.
    pub(super) fn top(doc: &'a Doc<'a>, entries: &'a DeTable<'a>) -> Self {
        Self { doc, entries, label: String::new(), path: String::new(), start: 0 }
    }

    /// Reports keys that are not `known`; gives back those that were probably meant.
    pub(super) fn refuse_unknown(&self, known: &[&str]) -> Vec<String> {
        let unknown = self.entries.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        let report = |key: &Spanned<DeString<'_>>| {
            let meant = closest(key.get_ref(), known);
            self.push(key.span().start, key.get_ref(), "no such key", &known.join(", "), meant.clone());
            meant
        };
        unknown.filter_map(report).collect()
    }

    /// Reports keys that are needed and not there, each with what it may be; not those that are there, but `misspelt`.
    pub(super) fn need(&self, needed: &[(&str, &str)], misspelt: &[String]) {
        for (key, allowed) in needed {
            if !self.has(key) && !misspelt.iter().any(|word| word == key) {
                self.push(self.start, key, "missing", allowed, None);
            }
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.entries.get(key)
    }

    /// Where the value of `key` begins, or the table where it has none.
    pub(super) fn offset(&self, key: &str) -> usize {
        self.get(key).map_or(self.start, |value| value.span().start)
    }

    /// Reports a fault of `key`.
    pub(super) fn fault(&self, key: &str, found: impl Into<String>, allowed: &str) {
        self.push(self.offset(key), key, found, allowed, None);
    }

    /// Reports a fault at a byte offset.
    pub(super) fn push(
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
        self.doc.push(offset, fault);
    }

    /// The table under `key`, where there is one.
    pub(super) fn table(&self, key: &str) -> Option<Table<'a>> {
        let label = if self.label.is_empty() { format!("[{key}]") } else { self.label.clone() };
        let path = format!("{}{key}.", self.path);
        self.table_as(key, label, path)
    }

    /// The table under `key`, under a label and path of the caller's.
    pub(super) fn table_as(&self, key: &str, label: String, path: String) -> Option<Table<'a>> {
        let value = self.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table");
            return None;
        };
        Some(Table { doc: self.doc, entries, label, path, start: value.span().start })
    }

    /// A whole number within `range`.
    pub(super) fn whole<T>(&self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let value = self.get(key)?;
        let allowed = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, value, &allowed);
            return None;
        };
        let read = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let read = read.and_then(|x| T::try_from(x).ok()).filter(|x| range.contains(x));
        if read.is_none() {
            self.not_allowed(key, value, &allowed);
        }
        read
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        read
    }

    /// A finite number for which `fits` holds; whole numbers are numbers too.
    pub(super) fn number(&self, key: &str, allowed: &str, fits: impl Fn(f64) -> bool) -> Option<f64> {
        let value = self.get(key)?;
        let read = match value.get_ref() {
            DeValue::Integer(integer) => {
                i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|x| x as f64)
            }
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => {
                self.wrong_type(key, value, allowed);
                return None;
            }
        };
        let read = read.filter(|x: &f64| x.is_finite() && fits(*x));
        if read.is_none() {
            self.not_allowed(key, value, allowed);
        }
        read
    }

    /// A string that fits.
    pub(super) fn text(&self, key: &str, text: &Text) -> Option<&'a str> {
        self.string(key, self.get(key)?, text)
    }

    /// `N` bytes written in hex.
    pub(super) fn hex<const N: usize>(&self, key: &str) -> Option<[u8; N]> {
        let value = self.get(key)?;
        let allowed = format!("a string of {} hex digits", 2 * N);
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, &allowed);
            return None;
        };
        let bytes = bytes_of_hex(text);
        if bytes.is_none() {
            let found = format!("{} is not allowed ({} characters)", self.shown(value), text.chars().count());
            self.push(value.span().start, key, found, &allowed, None);
        }
        bytes
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let value = self.get(key)?;
        let allowed = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, &allowed);
            return None;
        };
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let found = format!("{} is not allowed", self.shown(value));
            self.push(value.span().start, key, found, &allowed, closest(text, &known));
        }
        found.map(|(_, x)| *x)
    }

    /// A list of different strings, at least one; `None` where any of it is faulty.
    pub(super) fn texts(&self, key: &str, text: &Text) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let allowed = format!("a list without repeats, each element {}", text.allowed);
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &allowed);
            return None;
        };
        if items.is_empty() {
            self.fault(key, "the list is empty", &allowed);
            return None;
        }
        let mut seen = BTreeSet::new();
        let mut good = true;
        for (i, item) in items.iter().enumerate() {
            let at = format!("{key}[{i}]");
            match self.string(&at, item, text) {
                None => good = false,
                Some(word) if !seen.insert(word) => {
                    good = false;
                    let found = format!("{} is in the list twice", self.shown(item));
                    self.push(item.span().start, &at, found, "each string once", None);
                }
                Some(_) => {}
            }
        }
        good.then(|| items.iter().filter_map(|item| item.get_ref().as_str()).map(String::from).collect())
    }

    fn string(&self, at: &str, value: &'a Spanned<DeValue<'a>>, text: &Text) -> Option<&'a str> {
        let Some(read) = value.get_ref().as_str() else {
            self.wrong_type(at, value, text.allowed);
            return None;
        };
        if !(text.fits)(read) {
            self.not_allowed(at, value, text.allowed);
            return None;
        }
        Some(read)
    }

    /// Reports a value of another type; `at` is the key, or an element of its list.
    pub(super) fn wrong_type(&self, at: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        let found = match value.get_ref() {
            DeValue::Table(_) => "a table".into(),
            DeValue::Array(_) => "a list".into(),
            other => format!("{} is {}", self.shown(value), kind(other)),
        };
        self.push(value.span().start, at, found, allowed, None);
    }

    fn not_allowed(&self, at: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        self.push(value.span().start, at, format!("{} is not allowed", self.shown(value)), allowed, None);
    }

    /// The value as it is written.
    pub(super) fn shown(&self, value: &Spanned<DeValue<'_>>) -> String {
        self.doc.written(value.span())
    }
}

/// The type of a value in plain words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
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

/// The known word that `word` probably was meant to be: at most a third of its letters differ.
pub(super) fn closest(word: &str, known: &[&str]) -> Option<String> {
    let near = known.iter().map(|other| (strsim::damerau_levenshtein(word, other), *other));
    let (steps, other) = near.min_by_key(|(steps, _)| *steps)?;
    (steps <= (word.chars().count() / 3).max(1)).then(|| other.into())
}

pub(super) fn bytes_of_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |i: usize| char::from(digits[i]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let doc = Doc::new("f".into(), "\u{feff}ä = 1\r\nbc = 'é'\n");
        for (what, line, column) in [("ä", 1, 1), ("1", 1, 5), ("bc", 2, 1), ("'é'", 2, 6)] {
            let offset = doc.text.find(what).unwrap();
            assert_eq!(doc.place(offset), Place { line, column }, "{what}");
        }
    }

    #[test]
    fn cuts_what_is_long() {
        let text = format!("{}\nsecond", "x".repeat(50));
        let doc = Doc::new("f".into(), &text);
        assert_eq!(doc.written(0..50), "x".repeat(50));
        assert_eq!(doc.written(0..text.len()), format!("{}...", "x".repeat(50)));
    }

    #[test]
    fn guesses_only_near_words() {
        assert_eq!(closest("wieght", &["weight", "name"]).as_deref(), Some("weight"));
        assert_eq!(closest("zzz", &["weight", "name"]), None);
        assert_eq!(closest("di", &["dim", "name"]).as_deref(), Some("dim"));
    }

    #[test]
    fn reads_hex_of_either_case() {
        assert_eq!(bytes_of_hex("0aFF"), Some([10, 255]));
        assert_eq!(bytes_of_hex::<2>("0aF"), None);
        assert_eq!(bytes_of_hex::<2>("+aFF"), None);
        assert_eq!(bytes_of_hex::<2>("é12"), None);
    }
}
