//! Workers that a batch engine runs: where there is room, when there is room.
//!
//! An engine is a command that has another one run. The worker's standard input and output are the launcher's, so the job and
//! the events go the same way as on this machine. What differs is what may fail: machines, networks, the engine itself. So
//! what counts is the worker's last word and never how the launcher ends, silence ends an attempt, and an attempt that failed
//! is made again, elsewhere or here. Every attempt has pipes of its own: a worker that outlives its attempt is not heard.

mod command;
mod judge;
mod store;

pub use store::BatchError;

use crate::files::size_of;
use crate::observer::{Attempt, AttemptState, Observer, Quiet};
use crate::worker::{Failure, Finished, Hears, Job, Launcher, Patience, Task, WorkerError, attend_command};
use command::{JobWords, command};
use judge::{Verdict, judge};
use mantis_config::BatchEngine;
use mantis_ledger::snapshot::Snapshot;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::Store;

/// MiB that a worker may need beside what its history takes.
const BESIDE: u64 = 256;
/// Between two attempts, and as much longer each time.
const PAUSE: Duration = Duration::from_millis(500);

/// What an engine gave that was asked whether it runs workers.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineAnswer {
    /// The machine, where it says its name.
    pub node: Option<String>,
    /// How long it took, s.
    pub seconds: f64,
}

/// An engine that can be given jobs: what workers need lies where its machines find it.
pub(crate) struct Batch {
    engine: BatchEngine,
    store: Store,
    /// This program, in the shared folder.
    program: PathBuf,
    jobs: AtomicU64,
}

impl Batch {
    /// Puts this program where the engine's machines find it.
    pub(crate) fn open(engine: &BatchEngine, launcher: &Launcher) -> Result<Self, BatchError> {
        let store = Store::open(&engine.scratch)?;
        let program = store.keep_program(&launcher.program)?;
        Ok(Self { engine: engine.clone(), store, program, jobs: AtomicU64::new(0) })
    }

    /// Folder for histories that are not kept.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.store.snapshots()
    }

    /// Jobs at the same time.
    pub(crate) fn parallel(&self, threads: usize) -> usize {
        self.engine.parallel.map_or(threads, |parallel| parallel as usize)
    }

    /// Does a job that scores a snapshot of the shared folder. `None` where no attempt did, and this machine is to do it.
    pub(crate) fn run(
        &self,
        launcher: &Launcher,
        job: &Job,
        observer: &dyn Observer,
    ) -> Result<Option<Finished>, WorkerError> {
        let ticker = job.spec.ticker.as_str();
        let job = &exact(job)?;
        let number = self.jobs.fetch_add(1, Ordering::Relaxed);
        let tell = |attempt: u32, state: AttemptState| {
            observer.attempt(&Attempt { ticker: ticker.into(), job: number, attempt, state });
        };
        let mut memory_mib = self.memory_of(job);
        let mut error = None;
        for attempt in 1..=self.engine.attempts {
            if attempt > 1 {
                std::thread::sleep(PAUSE * (attempt - 1));
            }
            tell(attempt, AttemptState::Queued);
            let words = JobWords {
                challenge: ticker,
                memory_mib,
                minutes: launcher.deadline.as_secs().div_ceil(60).max(1),
                id: format!("{}-{number}-{attempt}", std::process::id()),
            };
            match self.attempt(launcher, job, &words, observer, |node| {
                tell(attempt, AttemptState::Running { node: node.map(str::to_owned) });
            }) {
                Ok(finished) => {
                    tell(attempt, AttemptState::Done);
                    return Ok(Some(finished));
                }
                Err(failed) => {
                    let verdict = judge(&failed);
                    let is_last = attempt == self.engine.attempts;
                    let may_grow = self.engine.launcher.iter().any(|word| word.contains("{memory_mib}"));
                    tell(attempt, AttemptState::Failed { why: failed.to_string() });
                    match verdict {
                        Verdict::TheJobs => return Err(failed),
                        Verdict::Memory if is_last || !may_grow => return Err(failed),
                        Verdict::Memory => memory_mib *= 2,
                        Verdict::TheEngines => {}
                    }
                    error = Some(failed);
                }
            }
        }
        match error.filter(|_| !self.engine.fallback) {
            Some(error) => Err(error),
            None => {
                tell(self.engine.attempts + 1, AttemptState::Fallback);
                Ok(None)
            }
        }
    }

    /// Does a job by one attempt, to see whether the engine does any.
    pub(crate) fn ask(&self, launcher: &Launcher, job: &Job) -> Result<EngineAnswer, WorkerError> {
        let (began, mut node) = (Instant::now(), None);
        let minutes = launcher.deadline.as_secs().div_ceil(60).max(1);
        let id = format!("{}-asked", std::process::id());
        let words = JobWords { challenge: &job.spec.ticker, memory_mib: self.memory_of(job), minutes, id };
        self.attempt(launcher, job, &words, &Quiet, |name| node = name.map(str::to_owned))?;
        Ok(EngineAnswer { node, seconds: began.elapsed().as_secs_f64() })
    }

    /// One worker of the engine's.
    fn attempt(
        &self,
        launcher: &Launcher,
        job: &Job,
        words: &JobWords<'_>,
        observer: &dyn Observer,
        mut begun: impl FnMut(Option<&str>),
    ) -> Result<Finished, WorkerError> {
        let ticker = job.spec.ticker.as_str();
        let start = |source| WorkerError::Start { program: self.engine.launcher[0].as_str().into(), source };
        let plugin = self.store.keep_plugin(&job.plugin).map_err(start)?;
        let job = Job { plugin, beat: Some(self.engine.silence.as_secs_f64() / 4.0), ..job.clone() };
        let command = command(&self.engine, words, &self.store.code(), &self.program);
        let patience = Patience {
            deadline: launcher.deadline,
            since: None,
            queue: self.engine.queue,
            silence: self.engine.silence,
        };
        let hears = Hears {
            progress: &mut |done| observer.progress(ticker, done),
            log: &mut |line| observer.log(ticker, line),
            begun: &mut begun,
        };
        attend_command(command, Path::new(&self.engine.launcher[0]), &job, patience, hears)
    }

    /// MiB that a job may need: a worker holds a part of its history, at most all of it.
    fn memory_of(&self, job: &Job) -> u64 {
        match &job.task {
            Task::Score { snapshot, .. } => BESIDE + (size_of(snapshot) >> 20),
            _ => BESIDE,
        }
    }
}

/// The job for the snapshot as it is now: what others see of it may be older, or not whole yet.
fn exact(job: &Job) -> Result<Job, WorkerError> {
    let mut job = job.clone();
    if let Task::Score { snapshot, digest } = &mut job.task {
        let now = Snapshot::digest(snapshot).map_err(|error| Failure::History(error.to_string()))?;
        *digest = Some(now);
    }
    Ok(job)
}

/// The folder in which a ledger's histories are kept for `config`, where `folder` is the one beside the ledger.
#[must_use]
pub fn kept_histories(config: &mantis_config::Config, folder: &Path) -> PathBuf {
    config.scoring.as_ref().map_or_else(|| folder.into(), |engine| store::histories(&engine.scratch, folder))
}
