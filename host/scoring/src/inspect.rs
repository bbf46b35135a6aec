//! Asking plugins about challenges without scoring anything.

use super::batch::{Batch, EngineAnswer};
use super::run::source;
use crate::plugins::{LoadError, Source};
use crate::worker::{Failure, Job, Launcher, Session, Task, WorkerError};
use anyhow::Context as _;
use mantis_config::{Challenge, Config, Fault};
use mantis_plugin_api::{Description, PluginError};
use std::path::PathBuf;

/// What a challenge's plugin says when it is configured.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The plugin's file.
    pub path: PathBuf,
    /// The file's sha256, in lower-case hexadecimal.
    pub sha256: String,
    /// The plugin's words about itself.
    pub description: Description,
}

/// Loads and configures the plugin of a challenge, in a worker process.
///
/// # Errors
/// A [`Fault`] at the line of the configuration that it is about: plugin, pin, field or parameter.
pub fn inspect(config: &Config, challenge: usize, launcher: &Launcher) -> Result<Inspected, Box<Fault>> {
    let at = |key: &str, found: String| Box::new(config.fault_at(challenge, key, found, ""));
    let Some(entry) = config.challenges.get(challenge) else {
        return Err(at("plugin", "no such challenge".into()));
    };
    let source = source(config, entry).map_err(|e| at("plugin", e.to_string()))?;
    match launcher.run(&job(config, entry, source.clone()), |_| {}, |_| {}) {
        Ok(finished) => {
            Ok(Inspected { path: source.path, sha256: finished.sha256, description: finished.description })
        }
        Err(WorkerError::Failed(Failure::Plugin(error))) => Err(Box::new(config.fault_of(challenge, &error))),
        Err(WorkerError::Failed(Failure::Load(error @ LoadError::Digest { .. }))) => {
            Err(at("sha256", error.to_string()))
        }
        Err(error) => Err(at("plugin", error.to_string())),
    }
}

/// Every fault that the plugins find in a configuration, in the order of its challenges; what several of them say of the
/// same place is said once.
#[must_use]
pub fn check(config: &Config, launcher: &Launcher) -> Vec<Fault> {
    let mut all: Vec<Fault> = Vec::new();
    for fault in (0..config.challenges.len()).flat_map(|i| faults(config, i, launcher)) {
        let is_same = |known: &Fault| {
            known.line > 0
                && (known.line, known.column) == (fault.line, fault.column)
                && (&known.key, &known.found) == (&fault.key, &fault.found)
        };
        if !all.iter().any(is_same) {
            all.push(fault);
        }
    }
    all
}

/// The faults of one challenge. A plugin names one parameter at a time, so it is asked again without that.
fn faults(config: &Config, challenge: usize, launcher: &Launcher) -> Vec<Fault> {
    let mut config = config.clone();
    let mut faults = Vec::new();
    while let Err(fault) = inspect(&config, challenge, launcher) {
        let left_out = fault
            .key
            .strip_prefix("params.")
            .and_then(|key| config.challenges.get_mut(challenge)?.params.remove(key));
        faults.push(*fault);
        if left_out.is_none() {
            break;
        }
    }
    faults
}

/// Turns what miners sent for a challenge into vectors, in a worker process: one result per submission, in order.
///
/// # Errors
/// As [`inspect`], or if the worker fails as a whole.
pub fn decode(
    config: &Config,
    challenge: usize,
    submissions: Vec<serde_json::Value>,
    launcher: &Launcher,
) -> Result<Vec<Result<Vec<f32>, PluginError>>, Box<Fault>> {
    let at = |found: String| Box::new(config.fault_at(challenge, "plugin", found, ""));
    let Some(entry) = config.challenges.get(challenge) else { return Err(at("no such challenge".into())) };
    let plugin = source(config, entry).map_err(|e| at(e.to_string()))?;
    let expected = submissions.len();
    let job = Job { task: Task::Decode { submissions }, ..job(config, entry, plugin) };
    match launcher.run(&job, |_| {}, |_| {}) {
        Ok(finished) if finished.vectors.len() == expected => Ok(finished.vectors),
        Ok(finished) => {
            Err(at(format!("the plugin gave {} vectors for {expected} submissions", finished.vectors.len())))
        }
        Err(WorkerError::Failed(Failure::Plugin(error))) => Err(Box::new(config.fault_of(challenge, &error))),
        Err(error) => Err(at(error.to_string())),
    }
}

/// A session with the plugin of a challenge: one that stays, to be asked again and again.
///
/// # Errors
/// If there is no such challenge, or no file of its plugin.
pub fn session(config: &Config, ticker: &str, launcher: &Launcher) -> anyhow::Result<Session> {
    Ok(Session::new(launcher.clone(), session_job(config, ticker)?))
}

/// What a [`session`] is told.
///
/// # Errors
/// As [`session`].
pub fn session_job(config: &Config, ticker: &str) -> anyhow::Result<Job> {
    let entry = config.challenges.iter().find(|challenge| challenge.ticker == ticker);
    let entry = entry.with_context(|| format!("no challenge {ticker} in {}", config.file.display()))?;
    Ok(job(config, entry, source(config, entry)?))
}

/// Has the batch engine of a configuration load the plugin of the first challenge, once; `None` where there is none.
#[must_use]
pub fn ask_engine(config: &Config, launcher: &Launcher) -> Option<Result<EngineAnswer, String>> {
    let engine = config.scoring.as_ref()?;
    let ask = || -> anyhow::Result<EngineAnswer> {
        let challenge = config.challenges.first().context("there is no challenge")?;
        let job = job(config, challenge, source(config, challenge)?);
        Ok(Batch::open(engine, launcher)?.ask(launcher, &job)?)
    };
    Some(ask().map_err(|error| format!("{error:#}")))
}

pub(super) fn job(config: &Config, challenge: &Challenge, plugin: Source) -> Job {
    Job {
        plugin,
        spec: challenge.spec(&config.network, challenge.solver),
        params: challenge.params.clone(),
        task: Task::Inspect,
        beat: None,
    }
}
