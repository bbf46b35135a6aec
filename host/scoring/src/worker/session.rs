//! A worker that stays: it is asked again and again.

use super::process::{Process, crashed};
use super::{Event, Job, Launcher, Question, Task, WorkerError};
use crate::plugins::forget_code;
use crate::worker::Failure;
use mantis_plugin_api::{Forecast, LastRows, PluginError, States, TrackedRow};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Instant;

/// What became of each submission.
pub type Decoded = Vec<Result<Vec<f32>, PluginError>>;

/// A configured challenge in a process of its own, started at the first question. One that fails is ended, and
/// started again at the next question.
pub struct Session {
    launcher: Launcher,
    job: Job,
    process: Option<Process>,
}

impl Session {
    /// A session of a plugin with a challenge; each question may take the launcher's deadline. The job's task does
    /// not matter.
    #[must_use]
    pub fn new(launcher: Launcher, job: Job) -> Self {
        Self { launcher, job: Job { task: Task::Serve, ..job }, process: None }
    }

    /// Goes on with another job, without a new process where it is the same challenge of the same file: pinned to one
    /// digest, wherever it lies. Gives whether it does; where not, the next question starts again.
    pub fn change(&mut self, job: Job) -> bool {
        let old = &self.job;
        let is_same =
            old.plugin.is_same_file(&job.plugin) && old.spec == job.spec && old.params == job.params;
        if !is_same {
            self.process = None;
        }
        self.job = Job { task: Task::Serve, ..job };
        is_same
    }

    /// Turns what miners sent into vectors, as many as `submissions`, in their order.
    ///
    /// # Errors
    /// [`WorkerError`], if the plugin cannot be loaded, crashes, or is not done in time. The next question starts
    /// it again.
    pub fn decode(&mut self, submissions: &[serde_json::Value]) -> Result<Decoded, WorkerError> {
        let asked = submissions.len();
        let vectors = self.ask(Question::Decode { submissions }, |event| match event {
            Event::Decoded { vectors } => Some(vectors),
            _ => None,
        })?;
        if vectors.len() == asked {
            return Ok(vectors);
        }
        self.process = None;
        let message = format!("{asked} submissions gave {} vectors", vectors.len());
        Err(Failure::Plugin(PluginError::Host { message }).into())
    }

    /// Takes matured rows, in order, into a challenge's live states; gives the states after the last of them.
    ///
    /// # Errors
    /// [`WorkerError`], as [`Session::decode`], or if the plugin refuses states or rows.
    pub fn track(&mut self, states: States, rows: Vec<TrackedRow>) -> Result<States, WorkerError> {
        let states = self.ask(Question::Track { states: &states, rows: &rows }, |event| match event {
            Event::Tracked { states } => Some(states),
            _ => None,
        })?;
        states.map_err(|error| Failure::Plugin(error).into())
    }

    /// The forecast of the market's last row by a fit, in hexadecimal, for numbers of miners in the order of its hotkeys.
    /// Whether it is what the outlook says is not checked.
    ///
    /// # Errors
    /// [`WorkerError`], as [`Session::decode`], or if the plugin refuses.
    pub fn forecast(
        &mut self,
        fit: &str,
        latest: &[f32],
        market: &LastRows,
    ) -> Result<Forecast, WorkerError> {
        let forecast = self.ask(Question::Forecast { fit, latest, market }, |event| match event {
            Event::Foretold { forecast } => Some(forecast),
            _ => None,
        })?;
        forecast.map_err(|error| Failure::Plugin(error).into())
    }

    /// As [`Launcher::run`], it tries once more where kept machine code may have been damaged.
    fn ask<T>(
        &mut self,
        question: Question<'_>,
        mut answer: impl FnMut(Event) -> Option<T>,
    ) -> Result<T, WorkerError> {
        let until = Instant::now() + self.launcher.deadline;
        match self.ask_once(question, until, &mut answer) {
            Err(error) if error.may_be_damaged_code(&self.job.plugin) => {
                forget_code(&self.job.plugin.path);
                self.ask_once(question, until, &mut answer)
            }
            outcome => outcome,
        }
    }

    fn ask_once<T>(
        &mut self,
        question: Question<'_>,
        until: Instant,
        answer: &mut impl FnMut(Event) -> Option<T>,
    ) -> Result<T, WorkerError> {
        let start = |source| WorkerError::Start { program: self.launcher.program.path().into(), source };
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.launcher.start(&self.job)?,
        };
        process.stdin.write(serde_json::to_vec(&question).map_err(|e| start(e.into()))?);
        loop {
            match process.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Failed { failure }) => return Err(failure.into()),
                Ok(event) => {
                    if let Some(answer) = answer(event) {
                        self.process = Some(process);
                        return Ok(answer);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(WorkerError::Deadline { seconds: self.launcher.deadline.as_secs_f64() });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let Process { mut worker, stderr, .. } = process;
                    return Err(crashed(&mut worker, self.job.plugin.path.clone(), until, stderr));
                }
            }
        }
    }
}
