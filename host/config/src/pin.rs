//! Writing pins into a configuration's text: nothing else of it changes.

use super::Config;
use super::fault::Position;
use std::collections::BTreeMap;
use thiserror::Error;

/// A line that cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "line {line}: `{key}` does not stand on a line of its own, as `{key} = \"...\"`; pin this challenge by hand"
)]
pub struct PinError {
    /// The line, from 1.
    pub line: usize,
    /// The key.
    pub key: &'static str,
}

impl Config {
    /// The text of its file with the plugins of these challenges pinned: sha256 in hexadecimal by ticker. A pin that is
    /// there is replaced, a new one comes after `plugin`.
    ///
    /// # Errors
    /// [`PinError`] for a line that is written in another way than one key and one string.
    pub fn pinned(&self, text: &str, digests: &BTreeMap<String, String>) -> Result<String, PinError> {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(String::from).collect();
        let mut inserted: Vec<(usize, String)> = Vec::new();
        for (challenge, positions) in self.challenges.iter().zip(&self.positions) {
            let Some(digest) = digests.get(&challenge.ticker) else { continue };
            let line_of = |key: &str| positions.get(key).map(|Position { line, .. }| *line);
            match (line_of("sha256"), line_of("plugin")) {
                (Some(line), _) => {
                    let old = line.checked_sub(1).and_then(|at| lines.get_mut(at));
                    let old = old.ok_or(PinError { line, key: "sha256" })?;
                    let (before, rest) = old
                        .split_once('"')
                        .filter(|(before, _)| is_key(before, "sha256"))
                        .ok_or(PinError { line, key: "sha256" })?;
                    let (_, after) = rest.split_once('"').ok_or(PinError { line, key: "sha256" })?;
                    *old = format!("{before}\"{digest}\"{after}");
                }
                (None, Some(line)) => {
                    let plugin = line.checked_sub(1).and_then(|at| lines.get(at));
                    let before = plugin.and_then(|plugin| plugin.split_once('"')).map(|(before, _)| before);
                    let before = before.filter(|before| is_key(before, "plugin"));
                    let before = before.ok_or(PinError { line, key: "plugin" })?;
                    let indent = &before[..before.len() - before.trim_start().len()];
                    inserted.push((line, format!("{indent}sha256 = \"{digest}\"\n")));
                }
                (None, None) => {}
            }
        }
        inserted.sort();
        for (at, line) in inserted.into_iter().rev() {
            if let Some(before) = lines.get_mut(at - 1).filter(|before| !before.ends_with('\n')) {
                before.push('\n');
            }
            lines.insert(at, line);
        }
        Ok(lines.concat())
    }
}

/// Whether what stands before a string is a key of this name, and nothing else.
fn is_key(before: &str, key: &str) -> bool {
    before.trim().strip_suffix('=').is_some_and(|name| name.trim() == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TEXT: &str = "# ours\n[[challenge]]\nname = \"A\"\nticker = \"A\"\n  plugin = \"binary\" # the first\nprice_key = \"A\"\n\
                        dim = 2\nblocks_ahead = 300\nweight = 1\n\n[[challenge]]\nname = \"B\"\nticker = \"B\"\nplugin = \"binary\"\n\
                        sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"  # old\nprice_key = \"B\"\n\
                        dim = 2\nblocks_ahead = 300\nweight = 1";

    fn digests(digit: &str) -> BTreeMap<String, String> {
        ["A", "B"].map(|ticker| (ticker.to_owned(), digit.repeat(64))).into()
    }

    #[test]
    fn pins_are_added_and_replaced_and_nothing_else_changes() {
        let config = Config::parse(TEXT, Path::new("a.toml")).unwrap();
        let text = config.pinned(TEXT, &digests("a")).unwrap();
        let pin = format!("sha256 = \"{}\"", "a".repeat(64));
        assert!(
            text.contains(&format!("  plugin = \"binary\" # the first\n  {pin}\nprice_key = \"A\"")),
            "{text}"
        );
        assert!(text.contains(&format!("plugin = \"binary\"\n{pin}  # old\n")), "{text}");
        assert_eq!(text.lines().count(), TEXT.lines().count() + 1);
        let pinned = Config::parse(&text, Path::new("a.toml")).unwrap();
        assert!(pinned.challenges.iter().all(|challenge| challenge.sha256 == Some([0xaa; 32])));
        assert_eq!(pinned.pinned(&text, &digests("a")).unwrap(), text);
    }

    #[test]
    fn a_line_that_holds_more_is_named() {
        let text = "challenge = [{ name = \"A\", ticker = \"A\", plugin = \"binary\", price_key = \"A\", dim = 2, \
                    blocks_ahead = 300, weight = 1 }]";
        let config = Config::parse(text, Path::new("a.toml")).unwrap();
        assert_eq!(config.pinned(text, &digests("a")).unwrap_err(), PinError { line: 1, key: "plugin" });
    }
}
