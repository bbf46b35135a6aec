//! From a file to a checked configuration.

use super::challenge::{self, Around, RUNTIMES, SOLVERS};
use super::fault::{ConfigFaults, Fault};
use super::reader::{Doc, Table, Text};
use super::{Config, params, rules, sections};
use std::path::Path;
use toml::de::{DeTable, DeValue};

pub(super) const TOP: [&str; 12] = [
    "solver",
    "runtime",
    "plugin_dir",
    "wasm_memory_mib",
    "network",
    "beacon",
    "market",
    "collect",
    "datalog",
    "assets",
    "params",
    "challenge",
];

const FOLDER: Text =
    Text { allowed: "a string, the path of a folder", fits: |s| !s.is_empty() && !s.contains('\0') };
/// Beyond the largest score at full size, below the 4 GiB that a component can address.
const WASM_MEMORY_MIB: u32 = 3584;
const CHALLENGES: &str = "at least one [[challenge]] table";

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// All faults of the file, in the order of its lines; one that is not TOML or cannot be read has one fault.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigFaults> {
        let path = path.as_ref();
        Self::from_bytes(std::fs::read(path), path)
    }

    /// Checks what was read from a file, or says why it could not be read.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_bytes(bytes: std::io::Result<Vec<u8>>, path: &Path) -> Result<Self, ConfigFaults> {
        let file = path.display().to_string();
        let bytes =
            bytes.map_err(|e| alone(&file, (0, 0), format!("cannot be read: {e}"), "a readable file"))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text, path),
            Err(e) => {
                let good = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
                let place = Doc::new(String::new(), &good).place(good.len());
                let found = format!("byte 0x{:02x} is not UTF-8", bytes[e.valid_up_to()]);
                Err(alone(&file, (place.line, place.column), found, "text in UTF-8"))
            }
        }
    }

    /// Checks a text as if it were read from `file`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigFaults> {
        let doc = Doc::new(file.display().to_string(), text);
        let parsed = match DeTable::parse(text) {
            Ok(parsed) => parsed,
            Err(e) => return Err(syntax(&doc, &file.display().to_string(), &e)),
        };
        let config = read(&Table::top(&doc, parsed.get_ref()), file);
        let faults = doc.into_faults();
        if faults.is_empty() { Ok(config) } else { Err(ConfigFaults { faults }) }
    }
}

fn read(top: &Table<'_>, file: &Path) -> Config {
    let misspelt = top.refuse_unknown(&TOP);
    let network = sections::network(top);
    let around = Around {
        runtime: top.choice("runtime", &RUNTIMES).unwrap_or_default(),
        solver: top.choice("solver", &SOLVERS).unwrap_or_default(),
        sample_every: network.sample_every,
        assets: sections::assets(top),
        sets: params::named_sets(top),
    };
    let tables = challenges(top, &misspelt);
    let (challenges, places): (Vec<_>, Vec<_>) = tables.iter().map(|t| challenge::read(t, &around)).unzip();
    rules::check(top, &tables, &challenges);
    let folder = top.text("plugin_dir", &FOLDER).unwrap_or("plugins");
    Config {
        file: file.into(),
        plugin_dir: file.parent().unwrap_or(Path::new("")).join(folder),
        solver: around.solver,
        runtime: around.runtime,
        wasm_memory_mib: top.whole("wasm_memory_mib", 16..=4095).unwrap_or(WASM_MEMORY_MIB),
        network,
        beacon: sections::beacon(top),
        market: sections::market(top),
        collect: sections::collect(top),
        datalog: sections::datalog(top),
        challenges,
        places,
    }
}

/// The tables `[[challenge]]`.
fn challenges<'a>(top: &Table<'a>, misspelt: &[String]) -> Vec<Table<'a>> {
    let Some(value) = top.get("challenge") else {
        top.need(&[("challenge", CHALLENGES)], misspelt);
        return Vec::new();
    };
    let Some(items) = value.get_ref().as_array() else {
        let hint = "[[challenge]] tables: two brackets on each side";
        top.wrong_type("challenge", value, hint);
        return Vec::new();
    };
    if items.is_empty() {
        top.fault("challenge", "the list is empty", CHALLENGES);
    }
    let mut tables = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let DeValue::Table(entries) = item.get_ref() else {
            top.wrong_type(&format!("challenge[{i}]"), item, CHALLENGES);
            continue;
        };
        let label = match entries.get("name").and_then(|name| name.get_ref().as_str()) {
            Some(name) => format!("[[challenge]] {name:?}"),
            None => format!("[[challenge]] number {}", i + 1),
        };
        let path = format!("challenge[{i}].");
        tables.push(Table { doc: top.doc, entries, label, path, start: item.span().start });
    }
    tables
}

/// A text that is not TOML.
fn syntax(doc: &Doc<'_>, file: &str, error: &toml::de::Error) -> ConfigFaults {
    let span = error.span().unwrap_or_default();
    let place = doc.place(span.start);
    let written = doc.written(span);
    let at = if written.trim().is_empty() { String::new() } else { format!(" at `{written}`") };
    alone(file, (place.line, place.column), format!("not TOML: {}{at}", error.message()), "")
}

/// A fault of the file as a whole.
fn alone(file: &str, (line, column): (usize, usize), found: String, allowed: &str) -> ConfigFaults {
    let fault = Fault {
        file: file.into(),
        line,
        column,
        table: String::new(),
        key: String::new(),
        path: String::new(),
        found,
        allowed: allowed.into(),
        meant: None,
    };
    ConfigFaults { faults: vec![fault] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that docs/configuration.md describes under a heading, from rows that begin with "| `key` |".
    fn described(heading: &str) -> Vec<&'static str> {
        let text = include_str!("../../../docs/configuration.md");
        let section = text.split("\n## ").find(|section| section.lines().next() == Some(heading));
        let rows = section.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| row.split('`').next()).collect()
    }

    #[test]
    fn every_key_is_described() {
        assert_eq!(described("Top of the file"), TOP);
        assert_eq!(described("`[network]`"), sections::NETWORK);
        assert_eq!(described("`[beacon]`"), sections::BEACON);
        assert_eq!(described("`[market]`"), sections::MARKET);
        assert_eq!(described("`[collect]`"), sections::COLLECT);
        assert_eq!(described("`[datalog]`"), sections::DATALOG);
        assert_eq!(described("`[[challenge]]`"), challenge::KEYS);
    }
}
