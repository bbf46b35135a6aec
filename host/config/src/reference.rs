//! The keys of the file as the documentation lists them.

use crate::section::Section;
use crate::{
    BatchEngine, Beacon, Challenge, Collect, Config, Datalog, FactSource, Key, MarketFeed, Mirrors, Network,
    ReleaseSource,
};

/// The keys of one table of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTable {
    /// Its heading in docs/configuration.md.
    pub heading: &'static str,
    /// Its keys, in the order of their declaration.
    pub keys: Vec<Key>,
}

/// Every table of the file, in the order of docs/configuration.md.
#[must_use]
pub fn key_tables() -> Vec<KeyTable> {
    vec![
        KeyTable { heading: "Top of the file", keys: Config::keys() },
        KeyTable { heading: "`[network]`", keys: Network::keys() },
        KeyTable { heading: "`[beacon]`", keys: Beacon::keys() },
        KeyTable { heading: "`[market]`", keys: MarketFeed::keys() },
        KeyTable { heading: "`[collect]`", keys: Collect::keys() },
        KeyTable { heading: "`[datalog]`", keys: Datalog::keys() },
        KeyTable { heading: "`[mirrors]`", keys: Mirrors::keys() },
        KeyTable { heading: "`[release]`", keys: ReleaseSource::keys() },
        KeyTable { heading: "`[scoring]`", keys: BatchEngine::keys() },
        KeyTable { heading: "`[[facts]]`", keys: FactSource::keys() },
        KeyTable { heading: "`[[challenge]]`", keys: Challenge::keys() },
    ]
}

impl KeyTable {
    /// The table in Markdown, with a line end after each row.
    #[must_use]
    pub fn markdown(&self) -> String {
        let row = |key: &Key| {
            let names: Vec<_> = key.names.iter().map(|name| format!("`{name}`")).collect();
            let default = key.default.as_deref().unwrap_or("needed");
            format!("| {} | {default} | {} | {} |\n", names.join(" or "), key.allowed, key.meaning)
        };
        let rows: String = self.keys.iter().map(row).collect();
        format!("| key | default | allowed | meaning |\n|---|---|---|---|\n{rows}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");

    /// Where the first table under a heading stands in the text.
    fn find_table(text: &str, heading: &str) -> std::ops::Range<usize> {
        let heading = format!("\n## {heading}\n");
        let section = text.find(&heading).unwrap_or_else(|| panic!("no heading{heading}")) + heading.len();
        let start = section + text[section..].find("\n| ").expect("a table") + 1;
        let end = start + text[start..].find("|\n\n").map_or(text.len() - start, |end| end + 2);
        start..end
    }

    #[test]
    fn the_documentation_lists_every_key() {
        let written = fs::read_to_string(FILE).unwrap();
        let mut text = written.clone();
        for table in key_tables() {
            let place = find_table(&text, table.heading);
            text.replace_range(place, &table.markdown());
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(FILE, &text).unwrap();
            return;
        }
        for (written, declared) in written.lines().zip(text.lines()) {
            assert_eq!(written, declared, "docs/configuration.md (UPDATE_GOLDEN=1 writes its tables)");
        }
        assert_eq!(written.len(), text.len(), "docs/configuration.md (UPDATE_GOLDEN=1 writes its tables)");
    }
}
