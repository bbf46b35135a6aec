//! What the system lets a process have: open files, memory.

use super::finding::Verdict;
use super::size::shown;
use mantis_config::Config;
use rustix::process::{Resource, getrlimit};

pub(super) const FILES: &str = "open_files";
pub(super) const MEMORY: &str = "memory";

/// Files that are open besides the connections to miners: the ledger's, pipes to workers, the chain, readers of the
/// dashboard.
const BESIDES: u64 = 192;
/// Bytes of memory below which a process is likely to be ended while it scores; and below which it hardly starts.
const TIGHT: u64 = 1_500_000_000;
const LEAST: u64 = 300_000_000;

/// Whether as many files may be open as the configuration fetches at once.
pub(super) fn files(config: Option<&Config>) -> Verdict {
    let parallel = config.map_or(256, |config| config.collect.parallel as u64);
    judge_files(getrlimit(Resource::Nofile).current, parallel + BESIDES)
}

fn judge_files(allowed: Option<u64>, needed: u64) -> Verdict {
    match allowed {
        None => Verdict::ok("any number of files may be open"),
        Some(allowed) if allowed >= needed => {
            Verdict::ok(format!("{allowed} files may be open, {needed} are needed"))
        }
        Some(allowed) => Verdict::fault(
            format!("only {allowed} files may be open, and {needed} are needed"),
            format!(
                "raise the limit: `ulimit -n {}`, or LimitNOFILE= in the service's unit; or lower `parallel` in [collect]",
                needed.next_power_of_two()
            ),
        ),
    }
}

/// Whether there is memory left.
pub(super) fn memory() -> Verdict {
    let system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let group =
        std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    judge_memory(system, group)
}

/// `group` is what the process's group may have at most, where it has a limit.
fn judge_memory(available: Option<u64>, group: Option<u64>) -> Verdict {
    let Some(left) = [available, group].into_iter().flatten().min() else {
        return Verdict::skipped("the system does not tell how much memory is left");
    };
    let what = format!("{} of memory are to be had", shown(left));
    let cure = "end what else takes memory, raise the container's limit, or score fewer challenges at once: --threads 1";
    match left {
        ..LEAST => Verdict::fault(what, cure),
        LEAST..TIGHT => Verdict::warning(what, cure),
        _ => Verdict::ok(what),
    }
}

/// Bytes that /proc/meminfo says are available.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn files_are_counted() {
        assert_eq!(judge_files(Some(1024), 384).status, Status::Ok);
        assert_eq!(judge_files(None, 384).status, Status::Ok);
        let few = judge_files(Some(256), 384);
        assert!(few.status == Status::Fault && few.cure.unwrap().contains("ulimit -n 512"));
    }

    #[test]
    fn memory_is_the_least_of_machine_and_group() {
        const GB: u64 = 1_000_000_000;
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"), Some(2_097_152));
        assert_eq!(available("MemTotal: 9 kB"), None);
        assert_eq!(judge_memory(Some(8 * GB), None).status, Status::Ok);
        assert_eq!(judge_memory(Some(8 * GB), Some(GB)).status, Status::Warning);
        assert_eq!(judge_memory(Some(GB / 5), None).status, Status::Fault);
        assert_eq!(judge_memory(None, None).status, Status::Skipped);
    }
}
