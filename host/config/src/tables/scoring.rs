//! `[scoring]`.

use crate::kinds::{Arguments, Flag, ListOf, Optional, Seconds, SharedFolder, VARIABLE};
use crate::section::section;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// A batch engine that runs the workers of challenges, on other machines too.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct BatchEngine {
        /// The command that has another one run where there is room, such as `srun`, word by word; the worker's command is
        /// appended. `{challenge}`, `{memory_mib}`, `{minutes}` and `{id}` in a word stand for what a job is about, may need, may
        /// take, and is known by.
        launcher: Vec<String>, in Arguments;

        /// Folder that every machine of the engine has under this path, with the same files.
        scratch: PathBuf, in SharedFolder;

        /// Jobs given to the engine at the same time. Without it: as many as are scored at the same time on this machine.
        parallel: Option<u32> = None, in Optional(1..=4096_u32);

        /// Workers started for one job, one after the other, where the engine or a machine of it fails.
        attempts: u32 = 3, in 1..=10;

        /// Longest silence of a worker that has begun, s; it says every quarter of that that it is there. One that does not
        /// is ended, and another one started.
        silence: Duration = Duration::from_secs(60), in Seconds;

        /// Longest time for a worker to begin, s: longer where jobs wait for room.
        queue: Duration = Duration::from_secs(60), in Seconds;

        /// Whether this machine scores what no attempt did, so that an engine that is down costs time only.
        fallback: bool = true, in Flag;

        /// Environment variables that the launcher is given, beside `PATH`, `HOME` and `USER`. Workers get none of them.
        env: Vec<String> = Vec::new(), in ListOf(VARIABLE);
    }
}
