//! Worker processes: every call into a plugin happens in one.
//!
//! The host starts `mantis worker`, writes one [`Job`] to its standard input, and reads [`Event`]s from its standard
//! output until it ends. So a plugin that panics, aborts, hangs or leaks costs its own challenge only, and its
//! memory goes back to the system at the end. A worker ends by itself when the host does: it watches its standard
//! input.

mod launcher;
mod serve;
mod session;

pub use launcher::{Finished, Launcher, WorkerError};
pub use serve::serve;
pub use session::{Decoded, Session};

use crate::plugins::{LoadError, Source};
use mantis_plugin_api::{Description, ParamMap, PluginError, Salience, Spec, States, TrackedRow};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a worker is asked to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The plugin's file.
    pub plugin: Source,
    /// The challenge.
    pub spec: Spec,
    /// Its parameters.
    pub params: ParamMap,
    /// The task itself.
    pub task: Task,
}

/// What to do with the plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Task {
    /// Load and describe; the spec and the parameters do not matter.
    Describe,
    /// Load, describe, configure.
    Inspect,
    /// Inspect, then score a history snapshot.
    Score {
        /// The snapshot's folder.
        snapshot: PathBuf,
    },
    /// Inspect, then turn submissions into vectors.
    Decode {
        /// What miners sent for the challenge.
        submissions: Vec<serde_json::Value>,
    },
    /// Inspect, then answer [`Request`]s, one JSON text per line of standard input, until it ends.
    Serve,
}

/// What a serving worker is asked, as it reads it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Turn submissions into vectors.
    Decode { submissions: Vec<serde_json::Value> },
    /// Take matured rows into live states.
    Track { states: States, rows: Vec<TrackedRow> },
}

/// The same as the host writes it: what is asked about is large, and not copied.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Question<'a> {
    /// As [`Request::Decode`].
    Decode { submissions: &'a [serde_json::Value] },
    /// As [`Request::Track`].
    Track { states: &'a States, rows: &'a [TrackedRow] },
}

/// What a worker says, one JSON text each, framed by RFC 7464 (a record separator before, a line feed after), so
/// that what a plugin prints between two events does no harm.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Finished part, 0 to 1.
    Progress { done: f64 },
    /// A line of the plugin's.
    Log { line: String },
    /// The plugin is loaded and configured.
    Ready { description: Description, sha256: String },
    /// The score.
    Scored { salience: Salience },
    /// The vectors, as many as submissions.
    Decoded { vectors: Vec<Result<Vec<f32>, PluginError>> },
    /// The live states after the rows.
    Tracked { states: Result<States, PluginError> },
    /// The job failed.
    Failed { failure: Failure },
    /// The job is over; the most memory the worker had resident, in KiB.
    End { peak_rss_kib: u64 },
}

/// Why a job failed, said by the worker itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "stage", content = "error", rename_all = "snake_case")]
pub enum Failure {
    /// The plugin could not be loaded.
    #[error(transparent)]
    Load(LoadError),
    /// The plugin refused, failed, panicked, or broke its contract.
    #[error(transparent)]
    Plugin(PluginError),
    /// The history snapshot cannot be read.
    #[error("history snapshot: {0}")]
    History(String),
}

/// The most memory that this process had resident, in KiB; 0 where the system does not tell.
#[must_use]
pub fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
