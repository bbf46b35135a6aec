//! Worker processes: every call into a plugin happens in one.
//!
//! The host starts `mantis worker`, writes one [`Job`] to its standard input, and reads [`Event`]s from its standard
//! output until it ends. So a plugin that panics, aborts, hangs or leaks costs its own challenge only, and its
//! memory goes back to the system at the end. A worker ends by itself when the host does: it watches its standard
//! input.
//!
//! A worker is started of the running program, with an environment that holds nothing but what it needs, and in a process
//! group of its own, which is ended as a whole. Before it loads a plugin it raises [`Walls`] around itself.

mod error;
mod group;
mod input;
mod launcher;
mod process;
mod program;
mod serve;
mod session;
mod talk;
mod walls;

pub use error::WorkerError;
pub use group::Group;
pub use launcher::Launcher;
pub use program::Program;
pub use serve::serve;
pub use session::{Decoded, Session};
pub use talk::{Finished, Fitted};
pub(crate) use talk::{Hears, Patience, attend_command};
pub use walls::Walls;

use crate::plugins::{LoadError, Source};
use mantis_plugin_api::{
    Description, Forecast, LastRows, Outlook, ParamMap, PluginError, Salience, Solver, Spec, States, Storage,
    Targets, TrackedRow,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::OnceLock;

/// How many log lines of one job are passed on.
const MAX_LOG_LINES: usize = 1000;

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
    /// Says every so many seconds that it is there; `None`: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat: Option<f64>,
}

impl Job {
    /// A job for which it does not matter what the challenge is.
    #[must_use]
    pub fn without_challenge(plugin: Source, task: Task) -> Self {
        let spec = Spec {
            name: String::new(),
            ticker: String::new(),
            dim: 1,
            assets: Vec::new(),
            blocks_ahead: 0,
            sample_every: 1,
            seed: 0,
            solver: Solver::Exact,
            storage: Storage::F16,
            channels: Vec::new(),
            facts: Vec::new(),
            targets: false,
            fit: false,
        };
        Self { plugin, spec, params: ParamMap::new(), task, beat: None }
    }
}

/// What to do with the plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Task {
    /// Say which walls stand; no plugin is loaded, and nothing else of the job matters.
    Walls,
    /// Load and describe; the spec and the parameters do not matter.
    Describe,
    /// Load, describe, configure.
    Inspect,
    /// Inspect, then say what kind of forecast the challenge gives.
    Outlook,
    /// Inspect, then score a history snapshot.
    Score {
        /// The snapshot's folder.
        snapshot: PathBuf,
        /// Its [digest](mantis_ledger::snapshot::Snapshot::digest), if another one may lie there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
    /// Inspect, then label a history snapshot as if a miner had sent something in each of its first rows, and say what the
    /// labels are. The spec must ask for it.
    Targets {
        /// The snapshot's folder.
        snapshot: PathBuf,
        /// How many rows there are; later ones are left out.
        rows: usize,
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
    /// Forecast a row; the fit in hexadecimal.
    Forecast { fit: String, latest: Vec<f32>, market: LastRows },
}

/// The same as the host writes it: what is asked about is large, and not copied.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Question<'a> {
    /// As [`Request::Decode`].
    Decode { submissions: &'a [serde_json::Value] },
    /// As [`Request::Track`].
    Track { states: &'a States, rows: &'a [TrackedRow] },
    /// As [`Request::Forecast`].
    Forecast { fit: &'a str, latest: &'a [f32], market: &'a LastRows },
}

/// What a worker says, one JSON text each, framed by RFC 7464 (a record separator before, a line feed after), so
/// that what a plugin prints between two events does no harm.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The walls that stand from now on, and the machine's name; nothing of a plugin has run before.
    Walls {
        walls: Walls,
        #[serde(default)]
        node: Option<String>,
    },
    /// The worker is there.
    Here {},
    /// Finished part, 0 to 1.
    Progress { done: f64 },
    /// A line of the plugin's.
    Log { line: String },
    /// The plugin is loaded and configured.
    Ready { description: Description, sha256: String },
    /// The score.
    Scored { salience: Salience },
    /// What kind of forecast the challenge gives, and the fitted ensemble, in hexadecimal.
    Fitted { outlook: Option<Outlook>, fit: Option<String> },
    /// What the labels are, where the plugin can say it.
    Labelled { targets: Option<Targets> },
    /// The vectors, as many as submissions.
    Decoded { vectors: Vec<Result<Vec<f32>, PluginError>> },
    /// The live states after the rows.
    Tracked { states: Result<States, PluginError> },
    /// The forecast of a row.
    Foretold { forecast: Result<Forecast, PluginError> },
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

/// The most memory that this process had resident, in KiB; 0 where the system does not tell. What tells is opened at the
/// first call: later there may be a wall before it.
#[must_use]
pub fn peak_rss_kib() -> u64 {
    static STATUS: OnceLock<Option<File>> = OnceLock::new();
    let status = STATUS.get_or_init(|| File::open("/proc/self/status").ok());
    let mut bytes = vec![0; 1 << 14];
    let read = status.as_ref().and_then(|status| status.read_at(&mut bytes, 0).ok()).unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes[..read]);
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
