//! Faults that are found after loading, put beside the lines they are about.

use crate::fault::{KeyPositions, Position};
use crate::{Config, Fault};
use mantis_plugin_api::PluginError;

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
        let at =
            self.positions.get(challenge).map_or_else(Position::default, |positions| nearest(positions, key));
        let name = self.challenges.get(challenge).map_or("", |c| c.name.as_str());
        Fault {
            file: self.file.display().to_string(),
            line: at.line,
            column: at.column,
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

/// The position of a key, or of the closest table around it that is in the file.
fn nearest(positions: &KeyPositions, key: &str) -> Position {
    let mut path = key;
    loop {
        if let Some(position) = positions.get(path) {
            return *position;
        }
        match path.rfind(['.', '[']) {
            Some(end) => path = &path[..end],
            None => return positions.get("").copied().unwrap_or_default(),
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
