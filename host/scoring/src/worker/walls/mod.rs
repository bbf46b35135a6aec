//! What a worker takes from itself before any of a plugin's code runs in it.
//!
//! A component is in a sandbox already, and a shared library is code that its operator trusts; these walls are for the
//! day on which one of the two was a mistake. A system that lacks one of them goes without: `mantis doctor` says which
//! stand.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use super::{Job, Task};
use crate::plugins::{Image, private_code_folder};
use mantis_config::Runtime;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which walls stand around a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// No program that it starts could have more rights than it has.
    pub no_new_privileges: bool,
    /// Its files and its dumps are bounded.
    pub limits: bool,
    /// Landlock: it reads what its job needs, and writes machine code at most.
    pub files: bool,
    /// seccomp: no other process, no network, no signal to others.
    pub calls: bool,
}

impl Walls {
    /// Each wall by its name, and whether it stands.
    #[must_use]
    pub fn named(&self) -> [(&'static str, bool); 4] {
        [
            ("no new privileges", self.no_new_privileges),
            ("resource limits", self.limits),
            ("Landlock", self.files),
            ("seccomp", self.calls),
        ]
    }
}

/// What a worker may touch.
#[derive(Debug, Default)]
struct Allowed {
    /// Files and folders that are read.
    reads: Vec<PathBuf>,
    /// Folders in which files are made, too.
    writes: Vec<PathBuf>,
}

/// Files open at once; a snapshot has a few dozen.
const OPEN_FILES: u64 = 1024;
/// Bytes of one file; machine code is the only one that is written.
const FILE_BYTES: u64 = 1 << 30;
/// How much sooner than others a worker is ended where memory is short: a challenge may fail, the validator must not.
const EXPENDABLE: &str = "500";
/// Where shared libraries find those that they need themselves.
const LIBRARIES: [&str; 6] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"];

/// Raises the walls around this process, which must have no other thread yet. There is no way back.
pub(super) fn raise(job: &Job, image: Option<&Image>) -> Walls {
    // Where the system has no such thing, memory is taken from whom it will.
    let _ = std::fs::write("/proc/self/oom_score_adj", EXPENDABLE);
    let mut walls = Walls { limits: limit_resources(job), ..Walls::default() };
    #[cfg(target_os = "linux")]
    {
        (walls.files, walls.no_new_privileges) = files::restrict(&Allowed::by(job, image));
        walls.calls = calls::restrict();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (job, image);
    walls
}

fn limit_resources(job: &Job) -> bool {
    let lower = |resource, most: u64| {
        let now = getrlimit(resource);
        let most = now.maximum.map_or(most, |maximum| maximum.min(most));
        let current = now.current.map_or(most, |current| current.min(most));
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(most) }).is_ok()
    };
    // A dump would hold what miners sent, and fill the disk.
    let dumps = lower(Resource::Core, 0);
    let files = lower(Resource::Nofile, OPEN_FILES);
    let bytes = lower(Resource::Fsize, FILE_BYTES);
    // A component's memory is bounded by its sandbox.
    let memory = match (job.plugin.runtime, job.plugin.memory_mib) {
        (Runtime::Wasm, _) | (_, 0) => true,
        (Runtime::Native, mib) => lower(Resource::Data, u64::from(mib) << 20),
    };
    dumps && files && bytes && memory
}

impl Allowed {
    fn by(job: &Job, image: Option<&Image>) -> Self {
        let mut allowed = Self::default();
        if let Task::Score { snapshot, .. } | Task::Targets { snapshot, .. } = &job.task {
            allowed.reads.push(snapshot.clone());
        }
        allowed.reads.extend(image.and_then(Image::opens).map(PathBuf::from));
        match job.plugin.runtime {
            Runtime::Native => allowed.reads.extend(LIBRARIES.map(PathBuf::from)),
            Runtime::Wasm => allowed.writes.extend(private_code_folder()),
        }
        allowed
    }
}
