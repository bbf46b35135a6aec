//! Names, hosts and URLs.

use super::{Kind, ListOf, TextKind};
use crate::source::TomlTable;

/// A challenge's name.
pub(crate) const NAME: TextKind = TextKind {
    allowed: "a string of 1 to 64 letters, digits, `_`, `-` or `.`, but not \"hotkey\"",
    // A submission holds the miner's hotkey beside the challenges.
    fits: |s| s != "hotkey" && is_word(s, 64, |b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)),
    is_url: false,
};

/// A challenge's ticker.
pub(crate) const TICKER: TextKind = TextKind {
    allowed: "a string of 1 to 32 capital letters, digits, `_` or `-`",
    fits: |s| is_word(s, 32, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_-".contains(&b)),
    is_url: false,
};

/// A plugin's name.
pub(crate) const PLUGIN: TextKind = TextKind {
    allowed: "a plugin's name, a string of 1 to 64 small letters, digits, `_` or `-`",
    fits: |s| is_word(s, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)),
    is_url: false,
};

/// A name of an asset or price: what the feed and the ledger use as a key.
pub(crate) const ASSET: TextKind = TextKind {
    allowed: "a string of 1 to 32 letters, digits, `_`, `-` or `.`",
    fits: |s| is_word(s, 32, |b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)),
    is_url: false,
};

/// A file beside the ledger.
pub(crate) const SIDE_FILE: TextKind = TextKind {
    allowed: "the name of a file, a string of 4 to 64 letters, digits, `_`, `-` or `.` that ends with `.db`",
    fits: |s| {
        s.ends_with(".db")
            && !s.starts_with('.')
            && is_word(s, 64, |b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    },
    is_url: false,
};

/// An address.
pub(crate) const URL: TextKind =
    TextKind { allowed: "a string, a URL that begins with https:// or http://", fits: is_url, is_url: true };

/// A hotkey's address.
pub(crate) const SS58: TextKind = TextKind {
    allowed: "a hotkey in SS58, a string of 46 to 50 letters and digits",
    fits: |s| (46..=50).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()),
    is_url: false,
};

/// A list of assets; or a string, which is left to be looked up in `[assets]`.
pub(crate) struct AssetsOrName;

/// A list of URLs that paths are appended to: read without slashes at their ends.
pub(crate) struct BaseUrls;

/// Hosts, as a suffix or one by one.
pub(crate) const HOST: TextKind = TextKind {
    allowed: "a string, a suffix that begins with a dot (`.r2.dev`) or a host on its own (`127.0.0.1`)",
    fits: |s| {
        let name = s.strip_prefix('.').unwrap_or(s);
        !name.is_empty()
            && name.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
            // A bare domain would be read as a suffix by many, and would allow only itself.
            && (s.starts_with('.') || s == "localhost" || s.parse::<std::net::Ipv4Addr>().is_ok())
    },
    is_url: false,
};

impl Kind<Vec<String>> for AssetsOrName {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Vec<String>> {
        if table.get(key)?.get_ref().is_str() {
            return None;
        }
        ListOf(ASSET).read(table, key)
    }

    fn allowed(&self) -> String {
        format!("{}, or the name of one in `[assets]`", ListOf(ASSET).allowed())
    }

    fn shown(&self, value: &Vec<String>) -> String {
        ListOf(ASSET).shown(value)
    }
}

impl Kind<Vec<String>> for BaseUrls {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Vec<String>> {
        let urls = ListOf(URL).read(table, key)?;
        Some(urls.iter().map(|url| url.trim_end_matches('/').into()).collect())
    }

    fn allowed(&self) -> String {
        ListOf(URL).allowed()
    }

    fn shown(&self, value: &Vec<String>) -> String {
        ListOf(URL).shown(value)
    }
}

fn is_word(text: &str, longest: usize, fits: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(fits)
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.starts_with(':') && rest.bytes().all(|b| b.is_ascii_graphic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_suffixes_with_a_dot_or_whole() {
        for good in [".r2.dev", "127.0.0.1", "localhost"] {
            assert!((HOST.fits)(good), "{good}");
        }
        for bad in ["", ".", "r2.dev", ".r2..dev", ".r2.dev/", ".R2.dev", "a:80", "*"] {
            assert!(!(HOST.fits)(bad), "{bad}");
        }
    }

    #[test]
    fn urls_have_a_scheme_and_a_host() {
        for good in ["https://a", "http://127.0.0.1:80/x", "https://a/b?c"] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "https://", "ftp://a", "a.b", "https:///x", "https://:80", "https://a b"] {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
