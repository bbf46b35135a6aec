//! The configuration by itself: every fault of the file.

use super::finding::Verdict;
use mantis_config::{Config, ConfigError};
use std::path::Path;

pub(super) const CHECK: &str = "configuration";

/// Reads the file; gives what it says where it is sound.
pub(super) fn check(file: &Path) -> (Option<Config>, Verdict) {
    match Config::load(file) {
        Ok(config) => {
            let verdict = Verdict::ok(format!("{}: {} challenges", file.display(), config.challenges.len()));
            (Some(config), verdict)
        }
        Err(faults) => (None, judge(&faults)),
    }
}

fn judge(found: &ConfigError) -> Verdict {
    let what = listed(found.faults.iter().map(ToString::to_string));
    Verdict::fault(
        what,
        "correct the file: docs/configuration.md describes every key, `mantis config check` tries it",
    )
}

/// One fault, or a list of them.
pub(super) fn listed(faults: impl Iterator<Item = String>) -> String {
    let faults: Vec<String> = faults.collect();
    match faults.as_slice() {
        [one] => one.clone(),
        several => format!("{} faults:\n{}", several.len(), several.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn every_fault_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "solver = 'fast'\nsample = 5\n").unwrap();
        let (config, verdict) = check(&file);
        assert!(config.is_none() && verdict.status == Status::Fault && verdict.cure.is_some());
        for part in ["3 faults:\n", "`solver`", "`sample`", "challenge"] {
            assert!(verdict.what.contains(part), "{part}: {}", verdict.what);
        }
        let (config, verdict) = check(&dir.path().join("none.toml"));
        assert!(config.is_none() && verdict.what.contains("cannot be read"), "{verdict:?}");
    }
}
