//! The style sheet and the script as parts of a document.

use super::assets::{SCRIPT, STYLE};
use askama::filters::HtmlSafe;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};
use std::fmt::{self, Display, Formatter};

/// The style sheet, inside its element.
pub(super) struct InlineStyle;

/// The script, inside its element.
pub(super) struct InlineScript(String);

impl InlineScript {
    /// The script, which waits for the document: it stands before what it is about.
    pub(super) fn new() -> Self {
        // A browser takes the marks for comments, a reader of XML what is between them for plain text.
        Self(format!(
            "//<![CDATA[\naddEventListener('DOMContentLoaded', () => {{\n{}}});\n//]]>",
            SCRIPT.text
        ))
    }

    /// By which a policy names it: SHA-256 in base64.
    pub(super) fn digest(&self) -> String {
        BASE64.encode(Sha256::digest(&self.0))
    }
}

impl Display for InlineStyle {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(STYLE.text)
    }
}

impl Display for InlineScript {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

// Both are part of the program and hold neither end of an element nor of a section: a test of the assets says so.
impl HtmlSafe for InlineStyle {}
impl HtmlSafe for InlineScript {}
