//! Why a worker gave nothing.

use super::Failure;
use crate::plugins::Source;
use mantis_config::Runtime;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// How kernels, engines and Rust say that there was no more memory.
const NO_MEMORY: [&str; 6] = [
    "memory allocation of",
    "exceeded memory limit",
    "exceeded job memory limit",
    "oom_kill",
    "oom-kill",
    "out of memory",
];

/// Why a job gave nothing.
#[derive(Debug, Error)]
pub enum WorkerError {
    /// The worker said so itself.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The worker's process ended without a word.
    #[error("{}: the plugin's process ended early ({how}){}", plugin.display(), said(stderr))]
    Crashed {
        /// The plugin's file.
        plugin: PathBuf,
        /// Exit code or signal.
        how: String,
        /// The signal, where it was one.
        signal: Option<i32>,
        /// The end of its standard error.
        stderr: String,
    },
    /// The job took too long and was ended.
    #[error(
        "the plugin did not finish within {seconds} s and was ended; is it caught in a loop, or is the deadline too short?"
    )]
    Deadline {
        /// The deadline.
        seconds: f64,
    },
    /// The worker began, and was heard of no more.
    #[error("the worker{} said nothing for {seconds} s, and was ended", on(node))]
    Silent {
        /// The longest silence.
        seconds: f64,
        /// The machine, where it has said so.
        node: Option<String>,
    },
    /// No worker began.
    #[error("no worker began within {seconds} s{}", said(stderr))]
    Queued {
        /// How long was waited.
        seconds: f64,
        /// The end of what the launcher said.
        stderr: String,
    },
    /// The worker could not be started.
    #[error("cannot start a worker process of {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl WorkerError {
    /// Whether its process, or who ran it, says that there was too little memory.
    pub(crate) fn lacked_memory(&self) -> bool {
        let Self::Crashed { stderr, .. } = self else { return false };
        let stderr = stderr.to_ascii_lowercase();
        NO_MEMORY.iter().any(|words| stderr.contains(words))
    }

    /// Whether kept machine code may be at fault: a process of a component broke off in the middle of it. One that was
    /// ended for its memory (SIGKILL) would be again.
    pub(super) fn may_be_damaged_code(&self, plugin: &Source) -> bool {
        const CRASHES: [i32; 6] = [4, 5, 6, 7, 8, 11];
        matches!(self, Self::Crashed { signal: Some(signal), .. } if CRASHES.contains(signal))
            && plugin.runtime == Runtime::Wasm
    }
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(", saying: {stderr}") }
}

fn on(node: &Option<String>) -> String {
    node.as_ref().map_or(String::new(), |node| format!(" on {node}"))
}
