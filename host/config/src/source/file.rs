//! A file's text, and what was found wrong with it.

use crate::fault::{Fault, Position};
use std::{cell::RefCell, ops::Range};

/// A file's text and the faults found in it so far.
pub(crate) struct SourceFile<'i> {
    name: String,
    text: &'i str,
    faults: RefCell<Vec<Fault>>,
}

impl<'i> SourceFile<'i> {
    pub(crate) fn new(name: String, text: &'i str) -> Self {
        Self { name, text, faults: RefCell::default() }
    }

    /// The faults, in the order of their positions.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| (fault.line, fault.column));
        faults
    }

    /// The position of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1,
        }
    }

    /// What is written there, cut to one line of at most 80 characters.
    pub(crate) fn written(&self, span: Range<usize>) -> String {
        let text = self.text.get(span).unwrap_or_default();
        let short: String = text.chars().take_while(|c| *c != '\n').take(80).collect();
        if short.len() < text.len() { format!("{}...", short.trim_end()) } else { short }
    }

    /// Adds a fault at a byte offset; its file, line and column are filled in.
    pub(crate) fn push(&self, offset: usize, fault: Fault) {
        let Position { line, column } = self.position(offset);
        self.faults.borrow_mut().push(Fault { file: self.name.clone(), line, column, ..fault });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let file = SourceFile::new("f".into(), "\u{feff}ä = 1\r\nbc = 'é'\n");
        for (what, line, column) in [("ä", 1, 1), ("1", 1, 5), ("bc", 2, 1), ("'é'", 2, 6)] {
            let offset = file.text.find(what).unwrap();
            assert_eq!(file.position(offset), Position { line, column }, "{what}");
        }
    }

    #[test]
    fn cuts_what_is_long() {
        let text = format!("{}\nsecond", "x".repeat(50));
        let file = SourceFile::new("f".into(), &text);
        assert_eq!(file.written(0..50), "x".repeat(50));
        assert_eq!(file.written(0..text.len()), format!("{}...", "x".repeat(50)));
    }
}
