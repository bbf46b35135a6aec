//! How much of the machine a strategy may use.

use rustix::io;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::time::Duration;

/// How much of the machine a strategy may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Address space of a process, in MiB.
    pub memory_mib: u64,
    /// How long one answer may take.
    pub answer: Duration,
    /// How long it may run in all; as much time of processors it may use.
    pub all: Duration,
}

/// Files open at once.
const OPEN_FILES: u64 = 512;
/// Processes and threads of this user at once.
const PROCESSES: u64 = 4096;
/// Bytes of a file that it writes.
const FILE_BYTES: u64 = 256 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self { memory_mib: 4096, answer: Duration::from_mins(1), all: Duration::from_hours(1) }
    }
}

impl Limits {
    /// Lowers them for a process that has not begun yet, and for all that it starts.
    pub(super) fn lower(&self, pid: Pid) -> io::Result<()> {
        let limits = [
            (Resource::As, self.memory_mib.saturating_mul(1 << 20)),
            // A second more than is waited for, so that waiting ends it and says why.
            (Resource::Cpu, self.all.as_secs() * 2 + 1),
            (Resource::Nofile, OPEN_FILES),
            (Resource::Nproc, PROCESSES),
            (Resource::Fsize, FILE_BYTES),
            (Resource::Core, 0),
        ];
        for (resource, most) in limits {
            // Looked at first: what is lower already stays.
            let now = rustix::process::getrlimit(resource);
            let most = now.maximum.map_or(most, |maximum| maximum.min(most));
            prlimit(Some(pid), resource, Rlimit { current: Some(most), maximum: Some(most) })?;
        }
        Ok(())
    }
}
