//! Where links lead: within one page, or from page to page.

use std::fmt::Write;

/// How the parts of a report are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// All are on one page.
    Anchors,
    /// Each has a page of its own.
    Pages,
}

impl Links {
    /// The address of a miner, whose anchor is `anchor`.
    pub(crate) fn miner(self, hotkey: &str, anchor: &str) -> String {
        self.address("/miners/", hotkey, anchor)
    }

    /// The address of a challenge, whose anchor is `anchor`.
    pub(crate) fn challenge(self, ticker: &str, anchor: &str) -> String {
        self.address("/challenges/", ticker, anchor)
    }

    fn address(self, folder: &str, name: &str, anchor: &str) -> String {
        match self {
            Self::Anchors => format!("#{anchor}"),
            Self::Pages => format!("{folder}{}", segment(name)),
        }
    }
}

/// A name as one segment of a path: letters, digits, `-`, `_` and `.` stay, all else is percent-encoded. Dots alone,
/// which a browser would take for a folder, are encoded too.
pub(crate) fn segment(name: &str) -> String {
    let dots = name.bytes().all(|b| b == b'.');
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && !dots) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_segment() {
        assert_eq!(segment("5F3sa2-x_y.z"), "5F3sa2-x_y.z");
        assert_eq!(segment("../a b?c#d\"\u{e9}"), "..%2Fa%20b%3Fc%23d%22%C3%A9");
        assert_eq!((segment("."), segment("..")), ("%2E".into(), "%2E%2E".into()));
        assert_eq!(Links::Pages.miner("a/b", "m-1"), "/miners/a%2Fb");
        assert_eq!(Links::Anchors.challenge("ETH", "c-ETH"), "#c-ETH");
    }
}
