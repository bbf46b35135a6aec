//! What commands print: JSON, tables, progress.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mantis_scoring::Observer;
use mantis_weights::Scored;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Writes to standard output; a reader that has gone away is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes one JSON document.
pub(super) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
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
        self.rows.push(cells.into_iter().collect());
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
}

impl Observer for Bars {
    fn progress(&self, ticker: &str, done: f64) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = running.entry(ticker.to_owned()).or_insert_with(|| self.all.add(bar(ticker)));
        bar.set_position((done * 1000.0) as u64);
    }

    fn log(&self, ticker: &str, line: &str) {
        let text = format!("{ticker}: {line}");
        // Suspended, so that bars and lines do not mix.
        self.all.suspend(|| eprintln!("{text}"));
    }

    fn finished(&self, scored: &Scored) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = running.remove(&scored.ticker) {
            bar.finish_and_clear();
        }
    }
}

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
    fn shortens_hotkeys() {
        assert_eq!(short("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"), "5F3sa2TJAW..");
        assert_eq!(short("5F3"), "5F3");
    }
}
