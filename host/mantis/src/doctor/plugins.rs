//! Plugins: found, loaded and configured, each challenge in a worker process, and their files the pinned ones.

use super::configuration::listed;
use super::finding::Verdict;
use mantis_config::{Config, Fault};
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Inspected, fan_out, inspect};
use std::collections::BTreeSet;

pub(super) const CHECK: &str = "plugins";

/// Challenges that are asked about at the same time, at most.
const PARALLEL: usize = 4;

type Outcome = Result<Inspected, Box<Fault>>;

/// Asks the plugin of every challenge. Takes as long as the launcher lets a worker, a few times over.
pub(super) fn check(config: &Config, launcher: &Launcher) -> Verdict {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let places: Vec<usize> = (0..config.challenges.len()).collect();
    let outcomes = fan_out(processors.min(PARALLEL), &places, |&place| inspect(config, place, launcher));
    let pinned = config.challenges.iter().filter(|challenge| challenge.sha256.is_some()).count();
    judge(outcomes, pinned)
}

fn judge(outcomes: Vec<Outcome>, pinned: usize) -> Verdict {
    let count = outcomes.len();
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    if !bad.is_empty() {
        let faults = listed(bad.into_iter().filter_map(Result::err).map(|fault| fault.to_string()));
        let cure = "build the plugins (`cargo build --release --workspace`, `mantis plugin build`) into `plugin_dir` or \
                    beside the program, or correct the key that is named";
        return Verdict::fault(faults, cure);
    }
    let files: BTreeSet<_> =
        good.into_iter().filter_map(Result::ok).map(|inspected| inspected.path).collect();
    Verdict::ok(format!("{count} challenges are configured by {} plugins; {pinned} are pinned", files.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;
    use std::path::Path;

    #[test]
    fn a_fault_of_any_plugin_is_one() {
        let text = "[[challenge]]\nname='A'\nticker='A'\nplugin='p'\nprice_key='A'\ndim=2\nblocks_ahead=300\nweight=1";
        let config = Config::parse(text, Path::new("c.toml")).unwrap();
        let fault = || Err(Box::new(config.fault_at(0, "plugin", "no plugin `p`", "")));
        let verdict = judge(vec![fault(), fault()], 0);
        assert!(verdict.what.starts_with("2 faults:\nc.toml:4: "), "{verdict:?}");
        assert_eq!(verdict.status, Status::Fault);
        assert_eq!(judge(Vec::new(), 0).status, Status::Ok);
    }
}
