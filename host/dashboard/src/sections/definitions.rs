//! Lists of names and what they are set to.

use askama::Template;
use askama::filters::HtmlSafe;

/// A list of names and what they are set to.
#[derive(Template)]
#[template(path = "sections/definitions.html")]
pub(crate) struct Definitions {
    rows: Vec<Definition>,
}

impl HtmlSafe for Definitions {}

/// A name, and what it is set to.
pub(super) struct Definition {
    pub(super) name: String,
    /// Whether the name is a key of the configuration.
    pub(super) is_key: bool,
    pub(super) value: Value,
}

/// What a name is set to.
pub(super) enum Value {
    /// Words and numbers.
    Text(String),
    /// Many digits.
    Code(String),
    /// Several values, one a line.
    Lines(Vec<String>),
}

impl Definitions {
    pub(super) fn new(rows: Vec<Definition>) -> Self {
        Self { rows }
    }
}

impl Definition {
    pub(super) fn new(name: impl Into<String>, value: Value) -> Self {
        Self { name: name.into(), is_key: false, value }
    }

    pub(super) fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(name, Value::Text(text.into()))
    }
}
