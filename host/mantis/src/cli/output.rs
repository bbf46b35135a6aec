//! What commands print: JSON, tables, progress.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mantis_scoring::Observer;
use mantis_weights::Scored;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Writes to standard output; a reader that has gone away is no error. What would turn a terminal upside down is shown
/// as it is written in Rust: names, messages and payloads may be strangers'.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    print_with_colours(&safe(text))
}

/// Writes a line to standard error, as [`print`].
pub(super) fn complain(text: &str) {
    eprintln!("{}", safe(text));
}

/// As [`print`], of a text that is [`safe`] but for colours of ours.
pub(super) fn print_with_colours(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes one JSON document. Its strings mean what they are, with escapes for what [`print`] does not show.
pub(super) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(value)? + "\n";
    print_with_colours(&replaced(&document, |c| format!("\\u{:04x}", u32::from(c))))
}

/// A text without characters that a terminal obeys, or that turn the direction of writing; lines stay lines.
pub(super) fn safe(text: &str) -> String {
    replaced(text, |c| c.escape_unicode().to_string())
}

fn replaced(text: &str, by: impl Fn(char) -> String) -> String {
    let is_obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            out += &by(c);
        } else {
            out.push(c);
        }
    }
    out
}

/// A table with columns as wide as they need be; numbers to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a header.
    pub(super) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { rows: vec![header.map(String::from).to_vec()] }
    }

    /// Adds columns to the header.
    pub(super) fn header(&mut self, more: impl IntoIterator<Item = String>) {
        self.rows[0].extend(more);
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A line break in a cell would forge a row.
        let cell = |cell: String| safe(&cell).replace('\n', "\\n").replace('\t', "\\t");
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    /// The table as text, one line per row.
    pub(super) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let body = || self.rows.iter().skip(1);
        let width = |c: usize| {
            self.rows.iter().filter_map(|r| r.get(c)).map(|t| t.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let is_number =
            |text: &str| text.trim_end_matches('%').parse::<f64>().is_ok() || text == "-" || text.is_empty();
        let numeric: Vec<bool> =
            (0..columns).map(|c| body().all(|row| row.get(c).is_none_or(|text| is_number(text)))).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (c, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[c] - cell.chars().count());
                let gap = if c > 0 { "  " } else { "" };
                line += &if numeric[c] { format!("{gap}{pad}{cell}") } else { format!("{gap}{cell}{pad}") };
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

/// The first letters of a hotkey, enough to tell it from others.
pub(super) fn short(hotkey: &str) -> String {
    match hotkey.char_indices().nth(10) {
        Some((end, _)) => format!("{}..", &hotkey[..end]),
        None => hotkey.into(),
    }
}

/// Progress bars on a terminal, one per running challenge; lines of plugins as warnings.
pub(super) struct Bars {
    all: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    /// Bars on standard error; nothing is drawn where that is no terminal.
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), running: Mutex::default() }
    }

    /// Removes the bar of a name.
    pub(super) fn clear(&self, name: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = running.remove(name) {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Bars {
    fn reading(&self, done: f64) {
        self.progress(LEDGER, done);
        if done >= 1.0 {
            self.clear(LEDGER);
        }
    }

    fn progress(&self, ticker: &str, done: f64) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = running.entry(ticker.to_owned()).or_insert_with(|| self.all.add(bar(ticker)));
        bar.set_position((done * 1000.0) as u64);
    }

    fn log(&self, ticker: &str, line: &str) {
        let text = format!("{ticker}: {line}");
        // Suspended, so that bars and lines do not mix.
        self.all.suspend(|| complain(&text));
    }

    fn finished(&self, scored: &Scored) {
        self.clear(&scored.ticker);
    }
}

/// The name of the bar of reading the ledger.
const LEDGER: &str = "ledger";

/// A bar of a thousand steps.
pub(super) fn bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:14} {bar:40} {percent:>3}% {elapsed}");
    let bar = ProgressBar::new(1000).with_message(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_numbers_to_the_right() {
        let mut table = Table::new(["name", "x"]);
        table.row(["a".into(), "1.5".into()]);
        table.row(["long".into(), "10".into()]);
        assert_eq!(table.render(), "name    x\na     1.5\nlong   10\n");
    }

    #[test]
    fn strangers_write_no_commands_for_terminals() {
        assert_eq!(safe("5F\u{1b}[2J\r\u{9b}1m\u{202e}x\nä\t"), "5F\\u{1b}[2J\\u{d}\\u{9b}1m\\u{202e}x\nä\t");
        let mut table = Table::new(["hotkey", "x"]);
        table.row(["5\u{7}\n6".into(), "1".into()]);
        assert_eq!(table.render(), "hotkey     x\n5\\u{7}\\n6  1\n");
        let document = replaced("{\"a\": \"\u{9b}ü\"}", |c| format!("\\u{:04x}", u32::from(c)));
        let read: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert!(!document.contains('\u{9b}') && read["a"] == "\u{9b}ü", "{document}");
    }

    #[test]
    fn shortens_hotkeys() {
        assert_eq!(short("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"), "5F3sa2TJAW..");
        assert_eq!(short("5F3"), "5F3");
    }
}
