//! From a file to a checked configuration.

use super::assets::read_asset_lists;
use super::challenge::{FileContext, read_challenge};
use super::operators::refuse_operators_keys;
use super::params::read_param_sets;
use super::rules;
use super::table_list::tables_of;
use crate::fault::{ConfigError, Fault};
use crate::section::Section;
use crate::source::{SourceFile, TomlTable};
use crate::tables::CHALLENGES;
use crate::{Config, FactSource, bare_url};
use std::path::Path;
use toml::de::DeTable;

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// All faults of the file, in the order of its lines; one that is not TOML or cannot be read has one fault.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_bytes(std::fs::read(path), path)
    }

    /// Checks what was read from a file, or says why it could not be read.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_bytes(bytes: std::io::Result<Vec<u8>>, path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let bytes =
            bytes.map_err(|e| alone(&file, (0, 0), format!("cannot be read: {e}"), "a readable file"))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text, path),
            Err(e) => {
                let good = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
                let at = SourceFile::new(String::new(), &good).position(good.len());
                let found = format!("byte 0x{:02x} is not UTF-8", bytes[e.valid_up_to()]);
                Err(alone(&file, (at.line, at.column), found, "text in UTF-8"))
            }
        }
    }

    /// Checks a text as if it were read from `file`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::parse_with(text, file, |_| ())
    }

    /// Checks the `challenges.toml` of a release: it has what must be equal among validators, and nothing else. What belongs
    /// to each operator is a fault, and so is a plugin that is not a component.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse_release(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::parse_with(text, file, refuse_operators_keys)
    }

    fn parse_with(text: &str, file: &Path, also: impl Fn(&TomlTable<'_>)) -> Result<Self, ConfigError> {
        let source = SourceFile::new(file.display().to_string(), text);
        let parsed = match DeTable::parse(text) {
            Ok(parsed) => parsed,
            Err(e) => return Err(syntax(&source, &file.display().to_string(), &e)),
        };
        let top = TomlTable::top(&source, parsed.get_ref());
        let config = read(&top, file);
        also(&top);
        let faults = source.into_faults();
        if faults.is_empty() { Ok(config) } else { Err(ConfigError { faults }) }
    }
}

fn read(top: &TomlTable<'_>, file: &Path) -> Config {
    let config = Config::read(top);
    let context = FileContext {
        runtime: config.runtime,
        solver: config.solver,
        sample_every: config.network.sample_every,
        asset_lists: read_asset_lists(top),
        param_sets: read_param_sets(top),
    };
    let fact_tables = tables_of(top, "facts", "[[facts]] tables");
    let facts: Vec<FactSource> = fact_tables.iter().map(FactSource::read).collect();
    let tables = tables_of(top, "challenge", CHALLENGES);
    let (challenges, positions): (Vec<_>, Vec<_>) =
        tables.iter().map(|table| read_challenge(table, &context)).unzip();
    rules::check(top, &tables, &challenges);
    rules::check_facts(&fact_tables, &facts, &tables, &challenges);
    rules::check_datalog(top, config.datalog.as_ref());
    Config {
        file: file.into(),
        plugin_dir: file.parent().unwrap_or(Path::new("")).join(&config.plugin_dir),
        facts,
        challenges,
        positions,
        ..config
    }
}

/// A text that is not TOML.
fn syntax(source: &SourceFile<'_>, file: &str, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or_default();
    let at = source.position(span.start);
    let written = source.written(span);
    // A URL with a quote too many shows no more than one without.
    let written = if written.contains("://") { bare_url(&written) } else { written };
    let near = if written.trim().is_empty() { String::new() } else { format!(" at `{written}`") };
    alone(file, (at.line, at.column), format!("not TOML: {}{near}", error.message()), "")
}

/// A fault of the file as a whole.
fn alone(file: &str, (line, column): (usize, usize), found: String, allowed: &str) -> ConfigError {
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
    ConfigError { faults: vec![fault] }
}
