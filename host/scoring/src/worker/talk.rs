//! What a worker says of its one job.

use super::error::WorkerError;
use super::process::{Process, crashed};
use super::{Event, Failure, Job, MAX_LOG_LINES};
use mantis_plugin_api::{Description, Outlook, PluginError, Salience, Targets};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// What a finished job gave.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The plugin's words about itself.
    pub description: Description,
    /// The sha256 of its file, in lower-case hexadecimal.
    pub sha256: String,
    /// The score, where one was asked for.
    pub salience: Option<Salience>,
    /// The labels of [`Task::Targets`](super::Task::Targets), where the plugin can say them; not checked yet.
    pub targets: Option<Targets>,
    /// What kind of forecast the challenge gives, and the fitted ensemble, where the spec of a score asked for it.
    pub fitted: Option<Fitted>,
    /// The vectors of [`Task::Decode`](super::Task::Decode), as many as submissions; empty for other tasks.
    pub vectors: Vec<Result<Vec<f32>, PluginError>>,
    /// The most memory the worker had resident, in KiB.
    pub peak_rss_kib: u64,
}

/// What a score has fitted.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What kind of forecast the challenge gives; `None` if it gives none.
    pub outlook: Option<Outlook>,
    /// The fitted ensemble; `None` if nothing could be fitted.
    pub fit: Option<Vec<u8>>,
}

/// Time for a launcher to give back what it holds, once it is asked to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long is waited for a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For its last word, from its first on, or from the start.
    pub(crate) deadline: Duration,
    /// When that time began; `None`: it begins with the worker's first word.
    pub(crate) since: Option<Instant>,
    /// For its first word, where the time does not run yet.
    pub(crate) queue: Duration,
    /// Between two words.
    pub(crate) silence: Duration,
}

impl Patience {
    /// For a worker of this machine: all of it may take so long, from now on.
    pub(crate) fn from_now(deadline: Duration) -> Self {
        let since = Some(Instant::now());
        Self { deadline, since, queue: Duration::MAX, silence: Duration::MAX }
    }

    /// The time that is left until the last word.
    fn left(&self) -> Duration {
        self.since.map_or(self.queue, |since| self.deadline.saturating_sub(since.elapsed()))
    }
}

/// Who hears of a job.
pub(crate) struct Hears<'a> {
    /// The finished part, 0 to 1.
    pub(crate) progress: &'a mut dyn FnMut(f64),
    /// A line of the plugin's.
    pub(crate) log: &'a mut dyn FnMut(&str),
    /// The worker has begun, on this machine.
    pub(crate) begun: &'a mut dyn FnMut(Option<&str>),
}

/// Starts a command that leads to a worker, and hears it until its last word.
pub(crate) fn attend_command(
    command: Command,
    program: &Path,
    job: &Job,
    patience: Patience,
    hears: Hears<'_>,
) -> Result<Finished, WorkerError> {
    let mut process = Process::start(command, program, job)?;
    process.worker.ask_first(GRACE);
    attend(process, job, patience, hears)
}

/// Hears a worker until its last word, or as long as patience lasts; the process is gone in any case.
pub(super) fn attend(
    process: Process,
    job: &Job,
    mut patience: Patience,
    hears: Hears<'_>,
) -> Result<Finished, WorkerError> {
    let Process { mut worker, stdin: _stdin, events, stderr } = process;
    let mut outcome = Outcome::default();
    let (mut logged, mut node, mut is_begun) = (0, None, false);
    loop {
        let left = patience.left();
        let event = events.recv_timeout(if is_begun { left.min(patience.silence) } else { left });
        if event.is_ok() && !std::mem::replace(&mut is_begun, true) {
            patience.since.get_or_insert_with(Instant::now);
            if let Ok(Event::Walls { node: name, .. }) = &event {
                node.clone_from(name);
            }
            (hears.begun)(node.as_deref());
        }
        match event {
            Ok(Event::Progress { done }) => (hears.progress)(done),
            Ok(Event::Log { line }) => {
                logged += 1;
                if logged <= MAX_LOG_LINES {
                    (hears.log)(&line);
                } else if logged == MAX_LOG_LINES + 1 {
                    (hears.log)("(more lines follow and are dropped)");
                }
            }
            Ok(Event::Ready { description, sha256 }) => outcome.ready = Some((description, sha256)),
            // What was not asked for is not kept.
            Ok(Event::Scored { salience }) => outcome.salience = Some(Salience { targets: None, ..salience }),
            Ok(Event::Labelled { targets }) => outcome.targets = targets,
            Ok(Event::Fitted { outlook, fit }) => {
                // What is not hexadecimal is none.
                let fit = fit.and_then(|fit| hex::decode(fit).ok());
                outcome.fitted = Some(Fitted { outlook, fit });
            }
            Ok(Event::Decoded { vectors }) => outcome.vectors = vectors,
            // Only a serving worker is asked to track or to forecast.
            Ok(Event::Walls { .. } | Event::Here {} | Event::Tracked { .. } | Event::Foretold { .. }) => {}
            Ok(Event::Failed { failure }) => outcome.failure = Some(failure),
            Ok(Event::End { peak_rss_kib }) => {
                outcome.peak_rss_kib = Some(peak_rss_kib);
                break;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if !is_begun && patience.since.is_none() => {
                let seconds = patience.queue.as_secs_f64();
                drop(worker);
                return Err(WorkerError::Queued { seconds, stderr: stderr.join().unwrap_or_default() });
            }
            Err(RecvTimeoutError::Timeout) if patience.left().is_zero() => {
                return Err(WorkerError::Deadline { seconds: patience.deadline.as_secs_f64() });
            }
            Err(RecvTimeoutError::Timeout) => {
                return Err(WorkerError::Silent { seconds: patience.silence.as_secs_f64(), node });
            }
        }
    }
    // A worker that has ended, however its launcher ends: one whose machine was lost may say that all was well.
    if let (Some(peak_rss_kib), None, Some((description, sha256))) =
        (outcome.peak_rss_kib, &outcome.failure, outcome.ready)
    {
        let Outcome { salience, targets, fitted, vectors, .. } = outcome;
        if patience.queue < Duration::MAX {
            // An engine books an end that it has seen as one; it is in the way of nothing if it does not.
            let _ = worker.reap(Instant::now() + Duration::from_secs(1));
        }
        return Ok(Finished { description, sha256, salience, targets, fitted, vectors, peak_rss_kib });
    }
    if let Some(failure) = outcome.failure {
        return Err(failure.into());
    }
    let until = Instant::now() + patience.left();
    Err(crashed(&mut worker, job.plugin.path.clone(), until, stderr))
}

#[derive(Default)]
struct Outcome {
    ready: Option<(Description, String)>,
    salience: Option<Salience>,
    targets: Option<Targets>,
    fitted: Option<Fitted>,
    vectors: Vec<Result<Vec<f32>, PluginError>>,
    failure: Option<Failure>,
    peak_rss_kib: Option<u64>,
}
