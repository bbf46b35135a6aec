//! Whose fault it is that an attempt failed.

use crate::worker::{Failure, WorkerError};

/// What an attempt that failed means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The job's own: it would fail everywhere.
    TheJobs,
    /// It had too little memory: it would fail with as much again.
    Memory,
    /// The engine's, or a machine's: it may be done elsewhere, or later.
    TheEngines,
}

/// By what the worker said, and how it ended.
pub(super) fn judge(error: &WorkerError) -> Verdict {
    match error {
        WorkerError::Failed(Failure::Plugin(_)) | WorkerError::Deadline { .. } => Verdict::TheJobs,
        // What is not whole on another machine yet may be so later, and a library that is missing there is here.
        WorkerError::Failed(Failure::Load(_) | Failure::History(_))
        | WorkerError::Silent { .. }
        | WorkerError::Queued { .. }
        | WorkerError::Start { .. } => Verdict::TheEngines,
        error if error.lacked_memory() => Verdict::Memory,
        // It cannot be told whether the plugin or the machine is at fault, where a launcher lies between.
        WorkerError::Crashed { .. } => Verdict::TheEngines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::PluginError;

    fn crashed(stderr: &str) -> WorkerError {
        WorkerError::Crashed {
            plugin: "a.so".into(),
            how: "exit status: 137".into(),
            signal: Some(9),
            stderr: stderr.into(),
        }
    }

    #[test]
    fn only_what_may_go_otherwise_elsewhere_is_tried_again() {
        let words = "slurmstepd: error: Step 3.0 exceeded memory limit (220 > 200 MiB), being killed";
        for (error, verdict) in [
            (WorkerError::Failed(Failure::Plugin(PluginError::data("no"))), Verdict::TheJobs),
            (WorkerError::Deadline { seconds: 1.0 }, Verdict::TheJobs),
            (WorkerError::Failed(Failure::History("cut".into())), Verdict::TheEngines),
            (WorkerError::Silent { seconds: 1.0, node: None }, Verdict::TheEngines),
            (WorkerError::Queued { seconds: 1.0, stderr: String::new() }, Verdict::TheEngines),
            (crashed("srun: error: task 0: Killed"), Verdict::TheEngines),
            (crashed("slurmstepd: error: Detected 1 oom_kill event in StepId=1.0"), Verdict::Memory),
            (crashed("memory allocation of 64 bytes failed"), Verdict::Memory),
            (crashed(words), Verdict::Memory),
        ] {
            assert_eq!(judge(&error), verdict, "{error}");
        }
    }
}
