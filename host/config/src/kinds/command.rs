//! Commands, and what belongs to them.

use super::{Kind, TextKind};
use crate::source::TomlTable;
use std::path::PathBuf;

/// A command, word by word: in contrast to other lists, a word may come twice.
pub(crate) struct Arguments;

/// What may stand in words of a command for a number or name of a job.
const PLACEHOLDERS: [&str; 4] = ["{challenge}", "{memory_mib}", "{minutes}", "{id}"];

/// The path of a folder that other machines have, too.
pub(crate) struct SharedFolder;

/// A variable of the environment.
pub(crate) const VARIABLE: TextKind = TextKind {
    allowed: "the name of an environment variable, a string of 1 to 64 letters, digits or `_`",
    fits: |s| !s.is_empty() && s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
    is_url: false,
};

const WORD: TextKind = TextKind {
    allowed: "a string; braces only in `{challenge}`, `{memory_mib}`, `{minutes}` and `{id}`",
    fits: is_word,
    is_url: false,
};

// A launcher may hand the worker's command to a shell of another machine, which would take other characters apart.
const FOLDER: TextKind = TextKind {
    allowed: "a string, the path of a folder from the root on, of letters, digits, `/`, `_`, `-` and `.`",
    fits: |s| s.starts_with('/') && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b)),
    is_url: false,
};

fn is_word(word: &str) -> bool {
    let rest = PLACEHOLDERS.iter().fold(word.to_owned(), |word, known| word.replace(known, ""));
    !word.is_empty() && !rest.contains(['{', '}', '\0'])
}

impl Kind<Vec<String>> for Arguments {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<Vec<String>> {
        WORD.read_elements(table, key, &Kind::<Vec<String>>::allowed(self), |_, _, _| true)
    }

    fn allowed(&self) -> String {
        format!("a list, each element {}", WORD.allowed)
    }

    fn shown(&self, value: &Vec<String>) -> String {
        format!("`{value:?}`")
    }
}

impl Kind<PathBuf> for SharedFolder {
    fn read(&self, table: &TomlTable<'_>, key: &str) -> Option<PathBuf> {
        FOLDER.read(table, key).map(PathBuf::from)
    }

    fn allowed(&self) -> String {
        FOLDER.allowed()
    }

    fn shown(&self, value: &PathBuf) -> String {
        format!("`{value:?}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_for_what_is_known() {
        for good in ["srun", "--mem={memory_mib}M", "{challenge}-{id}", "--time={minutes}"] {
            assert!(is_word(good), "{good}");
        }
        for bad in ["", "{memory}", "{", "a}b", "{ id }", "{{id}}", "a\0b"] {
            assert!(!is_word(bad), "{bad:?}");
        }
    }
}
