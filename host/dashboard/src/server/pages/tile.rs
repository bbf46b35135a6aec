//! Tiles: each says one thing, and more about it in small print.

use crate::sections::filters;
use crate::sections::time::Moment;
use askama::Template;
use askama::filters::HtmlSafe;

/// One tile.
#[derive(Template)]
#[template(path = "pages/tile.html")]
pub(super) struct Tile {
    /// By which programs find it.
    id: &'static str,
    name: String,
    value: String,
    /// Whether it needs attention.
    is_fault: bool,
    notes: Vec<Note>,
}

/// Something more about what a tile says.
pub(super) enum Note {
    Text(String),
    Moment(Moment),
    At { block: String, moment: Moment },
    Hash(String),
}

impl HtmlSafe for Tile {}

impl Tile {
    pub(super) fn new(id: &'static str, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { id, name: name.into(), value: value.into(), is_fault: false, notes: Vec::new() }
    }

    /// A tile that says whether something is well.
    pub(super) fn state(id: &'static str, name: impl Into<String>, is_fault: bool) -> Self {
        if is_fault { Self::fault(id, name, "fault") } else { Self::new(id, name, "well") }
    }

    /// A tile that needs attention.
    pub(super) fn fault(id: &'static str, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { is_fault: true, ..Self::new(id, name, value) }
    }

    /// With one note more, if there is one.
    pub(super) fn note(mut self, note: Option<Note>) -> Self {
        self.notes.extend(note);
        self
    }

    /// With words as one note more.
    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.note(Some(Note::Text(text.into())))
    }
}
