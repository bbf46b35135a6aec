//! Faults of the file, and where they are.

use super::Config;
use mantis_plugin_api::PluginError;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};
use thiserror::Error;

/// Something in the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
pub struct Fault {
    /// The file as it was named.
    pub file: String,
    /// Line from 1; 0 where the fault is the file as a whole.
    pub line: usize,
    /// Column from 1, in characters; 0 with line 0.
    pub column: usize,
    /// The table as people see it: `[[challenge]] "ETH-1H-BINARY"`; empty at the top of the file.
    pub table: String,
    /// The key within its table: `dim`, `params.top_k`; empty where the fault has none.
    pub key: String,
    /// The key from the top of the file: `challenge[3].dim`.
    pub path: String,
    /// What was found, as a phrase: `0 is not allowed`.
    pub found: String,
    /// What would be accepted, as a phrase; may be empty.
    pub allowed: String,
    /// The known word that was probably meant.
    pub meant: Option<String>,
}

/// Every fault of a file, in the order of its lines; at least one.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(transparent)]
pub struct ConfigFaults {
    /// The faults.
    pub faults: Vec<Fault>,
}

/// Line and column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Where the keys of one challenge are written: by key path within the challenge, the header under the empty path.
pub(super) type Places = BTreeMap<String, Place>;

impl Config {
    /// A fault that was found after loading, such as by asking a plugin, put beside the line it is about.
    ///
    /// `key` is a path within the challenge: `plugin`, `dim`, `params.top_k`. A key that is not in the file stands
    /// at the table it would be in, at last at the challenge's header.
    #[must_use]
    pub fn fault_at(
        &self,
        challenge: usize,
        key: &str,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Fault {
        let place = self.places.get(challenge).map_or_else(Place::default, |places| nearest(places, key));
        let name = self.challenges.get(challenge).map_or("", |c| c.name.as_str());
        Fault {
            file: self.file.display().to_string(),
            line: place.line,
            column: place.column,
            table: format!("[[challenge]] \"{name}\""),
            key: key.into(),
            path: format!("challenge[{challenge}].{key}"),
            found: found.into(),
            allowed: allowed.into(),
            meant: None,
        }
    }

    /// What a plugin said against its challenge, put beside the parameter or key it is about.
    #[must_use]
    pub fn fault_of(&self, challenge: usize, error: &PluginError) -> Fault {
        match error {
            PluginError::Parameter { key, found, allowed } => {
                self.fault_at(challenge, &format!("params.{key}"), found, allowed)
            }
            PluginError::Spec { key, found, allowed } => self.fault_at(challenge, key, found, allowed),
            other => self.fault_at(challenge, "plugin", other.to_string(), ""),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        if !self.table.is_empty() {
            write!(f, " {}:", self.table)?;
        }
        if !self.key.is_empty() {
            write!(f, " key `{}`:", self.key)?;
        }
        write!(f, " {}", self.found)?;
        if !self.allowed.is_empty() {
            write!(f, "; allowed: {}", self.allowed)?;
        }
        match &self.meant {
            Some(word) => write!(f, " (did you mean `{word}`?)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

/// The place of a key, or of the closest table around it that is in the file.
fn nearest(places: &Places, key: &str) -> Place {
    let mut path = key;
    loop {
        if let Some(place) = places.get(path) {
            return *place;
        }
        match path.rfind(['.', '[']) {
            Some(end) => path = &path[..end],
            None => return places.get("").copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config() -> Config {
        let text = "[[challenge]]\nname = 'A-1'\nticker = 'A'\nplugin = 'p'\ndim = 2\nweight = 1\nparams = 'set'\n\
                    [params.set]\ntop_k = 3\ndeep = { list = [1,\n 2] }\n";
        Config::parse(text, Path::new("c.toml")).unwrap()
    }

    #[test]
    fn finds_the_line_of_a_key() {
        let config = config();
        for (key, line) in [
            ("dim", 5),
            ("plugin", 4),
            ("sha256", 1),
            ("params", 7),
            ("params.top_k", 9),
            ("params.absent", 7),
            ("params.deep.list[1]", 11),
            ("params.deep.list[9]", 10),
        ] {
            assert_eq!(config.fault_at(0, key, "x", "y").line, line, "{key}");
        }
        assert_eq!(config.fault_at(9, "dim", "x", "y").line, 0, "no such challenge");
    }

    #[test]
    fn puts_a_plugins_word_beside_the_parameter() {
        let error = PluginError::Parameter {
            key: "top_k".into(),
            found: "3 is not allowed".into(),
            allowed: "a whole number from 5 to 9".into(),
        };
        assert_eq!(
            config().fault_of(0, &error).to_string(),
            "c.toml:9: [[challenge]] \"A-1\": key `params.top_k`: 3 is not allowed; allowed: a whole number from 5 to 9"
        );
        assert_eq!(
            config().fault_of(0, &PluginError::spec("dim", "2 is not allowed", "3")).to_string(),
            "c.toml:5: [[challenge]] \"A-1\": key `dim`: 2 is not allowed; allowed: 3"
        );
    }
}
