//! What pages are dressed with: a style sheet and a script, both part of the program.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The style sheet of all pages.
pub const STYLE: Asset =
    Asset { name: "style.css", kind: "text/css; charset=utf-8", text: include_str!("style.css") };
/// The script of all pages. They can be read without it.
pub const SCRIPT: Asset =
    Asset { name: "app.js", kind: "text/javascript; charset=utf-8", text: include_str!("app.js") };

/// A file that pages refer to.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name under `/assets/`.
    pub name: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl Asset {
    /// The one of a name.
    pub fn find(name: &str) -> Option<Self> {
        [STYLE, SCRIPT].into_iter().find(|asset| asset.name == name)
    }

    /// The first digits of its SHA-256: what comes under this version never changes.
    pub fn version(&self) -> String {
        let mut out = String::new();
        for byte in Sha256::digest(self.text).iter().take(6) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
        out
    }

    /// Where a page finds it: `/assets/app.js?v=1a2b..`.
    pub fn address(&self) -> String {
        format!("/assets/{}?v={}", self.name, self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_by_name_and_versioned_by_what_is_in_them() {
        let style = Asset::find("style.css").unwrap();
        assert_eq!(style.address(), format!("/assets/style.css?v={}", style.version()));
        assert_eq!(style.version().len(), 12);
        assert_ne!(style.version(), SCRIPT.version());
        assert!(Asset::find("../Cargo.toml").is_none() && Asset::find("").is_none());
    }

    #[test]
    fn nothing_in_them_comes_from_elsewhere() {
        for asset in [STYLE, SCRIPT] {
            assert!(!asset.text.contains("http:") && !asset.text.contains("https:"), "{}", asset.name);
            assert!(!asset.text.contains("@import") && !asset.text.contains("]]>"), "{}", asset.name);
        }
        for word in ["eval(", "innerHTML", "document.write", "console."] {
            assert!(!SCRIPT.text.contains(word), "{word}");
        }
    }
}
