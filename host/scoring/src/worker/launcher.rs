//! The host's side: start a worker, feed it, bound it.

use super::group::Group;
use super::input::Input;
use super::program::Program;
use super::{Event, Failure, Job, Task, Walls};
use crate::plugins::{Source, code_folder, forget_code};
use mantis_config::Runtime;
use mantis_plugin_api::{Description, PluginError, Salience, Targets};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use thiserror::Error;

/// No event is longer than this; what is longer comes from a plugin gone wild.
const MAX_EVENT: usize = 64 << 20;
/// How many log lines of one job are passed on.
pub(super) const MAX_LOG_LINES: usize = 1000;
/// How much of a worker's standard error is kept for the message.
const MAX_STDERR: usize = 4096;

/// Starts workers.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The `mantis` program.
    pub program: Program,
    /// How long a job may take.
    pub deadline: Duration,
}

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
    /// The vectors of [`Task::Decode`](super::Task::Decode), as many as submissions; empty for other tasks.
    pub vectors: Vec<Result<Vec<f32>, PluginError>>,
    /// The most memory the worker had resident, in KiB.
    pub peak_rss_kib: u64,
}

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
    /// The worker could not be started.
    #[error("cannot start a worker process of {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Launcher {
    /// A launcher of workers of the running program.
    ///
    /// # Errors
    /// If the system does not tell which program is running.
    pub fn new(deadline: Duration) -> io::Result<Self> {
        Ok(Self { program: Program::running()?, deadline })
    }

    /// Does one job in a process of its own; `on_progress` and `on_log` hear of it meanwhile. A component whose process
    /// crashes is compiled anew and tried once more, within the same time: kept machine code may have been damaged.
    ///
    /// # Errors
    /// [`WorkerError`]; the process is gone in any case.
    pub fn run(
        &self,
        job: &Job,
        mut on_progress: impl FnMut(f64),
        mut on_log: impl FnMut(&str),
    ) -> Result<Finished, WorkerError> {
        let until = Instant::now() + self.deadline;
        match self.run_once(job, until, &mut on_progress, &mut on_log) {
            Err(error) if error.may_be_damaged_code(&job.plugin) => {
                on_log("its process crashed: it is compiled anew and tried once more");
                forget_code(&job.plugin.path);
                self.run_once(job, until, &mut on_progress, &mut on_log)
            }
            outcome => outcome,
        }
    }

    /// Asks a worker which walls stand around it.
    ///
    /// # Errors
    /// If none can be started, or it does not answer.
    pub fn walls(&self) -> Result<Walls, WorkerError> {
        let job = any_job();
        let until = Instant::now() + self.deadline;
        let Process { mut worker, stdin: _stdin, events, stderr } = self.start(&job)?;
        match events.recv_timeout(self.deadline) {
            Ok(Event::Walls { walls }) => Ok(walls),
            Err(RecvTimeoutError::Timeout) => {
                Err(WorkerError::Deadline { seconds: self.deadline.as_secs_f64() })
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                Err(crashed(&mut worker, self.program.path().into(), until, stderr))
            }
        }
    }

    fn run_once(
        &self,
        job: &Job,
        until: Instant,
        on_progress: &mut impl FnMut(f64),
        on_log: &mut impl FnMut(&str),
    ) -> Result<Finished, WorkerError> {
        let Process { mut worker, stdin: _stdin, events, stderr } = self.start(job)?;
        let mut outcome = Outcome::default();
        let mut logged = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match events.recv_timeout(left) {
                Ok(Event::Progress { done }) => on_progress(done),
                Ok(Event::Log { line }) => {
                    logged += 1;
                    if logged <= MAX_LOG_LINES {
                        on_log(&line);
                    } else if logged == MAX_LOG_LINES + 1 {
                        on_log("(more lines follow and are dropped)");
                    }
                }
                Ok(Event::Ready { description, sha256 }) => outcome.ready = Some((description, sha256)),
                // What was not asked for is not kept.
                Ok(Event::Scored { salience }) => {
                    outcome.salience = Some(Salience { targets: None, ..salience })
                }
                Ok(Event::Labelled { targets }) => outcome.targets = targets,
                Ok(Event::Decoded { vectors }) => outcome.vectors = vectors,
                // Only a serving worker is asked to track.
                Ok(Event::Walls { .. } | Event::Tracked { .. }) => {}
                Ok(Event::Failed { failure }) => outcome.failure = Some(failure),
                Ok(Event::End { peak_rss_kib }) => {
                    outcome.peak_rss_kib = Some(peak_rss_kib);
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(WorkerError::Deadline { seconds: self.deadline.as_secs_f64() });
                }
            }
        }
        if let (Some(peak_rss_kib), None, Some((description, sha256))) =
            (outcome.peak_rss_kib, &outcome.failure, outcome.ready)
        {
            let Outcome { salience, targets, vectors, .. } = outcome;
            return Ok(Finished { description, sha256, salience, targets, vectors, peak_rss_kib });
        }
        if let Some(failure) = outcome.failure {
            return Err(failure.into());
        }
        Err(crashed(&mut worker, job.plugin.path.clone(), until, stderr))
    }

    /// Starts a worker with a job of any kind.
    pub(super) fn start(&self, job: &Job) -> Result<Process, WorkerError> {
        let start = |source| WorkerError::Start { program: self.program.path().into(), source };
        let mut command = self.program.command().map_err(start)?;
        command.arg("worker").env_clear().envs(environment()).process_group(0);
        let mut child = piped(&mut command).spawn().map_err(start)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let worker = Group::new(child);
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(start(io::ErrorKind::BrokenPipe.into()));
        };
        let mut stdin = Input::new(stdin);
        stdin.write(serde_json::to_vec(job).map_err(|e| start(e.into()))?);
        Ok(Process { worker, stdin, events: listen(stdout), stderr: thread::spawn(move || tail(stderr)) })
    }
}

/// A worker that runs.
pub(super) struct Process {
    pub(super) worker: Group,
    /// Kept open until the job is over: the worker ends itself when it closes.
    pub(super) stdin: Input,
    pub(super) events: Receiver<Event>,
    /// The end of its standard error.
    pub(super) stderr: JoinHandle<String>,
}

#[derive(Default)]
struct Outcome {
    ready: Option<(Description, String)>,
    salience: Option<Salience>,
    targets: Option<Targets>,
    vectors: Vec<Result<Vec<f32>, PluginError>>,
    failure: Option<Failure>,
    peak_rss_kib: Option<u64>,
}

impl WorkerError {
    /// Whether kept machine code may be at fault: a process of a component broke off in the middle of it. One that was
    /// ended for its memory (SIGKILL) would be again.
    pub(super) fn may_be_damaged_code(&self, plugin: &Source) -> bool {
        const CRASHES: [i32; 6] = [4, 5, 6, 7, 8, 11];
        matches!(self, Self::Crashed { signal: Some(signal), .. } if CRASHES.contains(signal))
            && plugin.runtime == Runtime::Wasm
    }
}

/// A job for which it does not even matter what the plugin is.
fn any_job() -> Job {
    let plugin = Source { path: PathBuf::new(), runtime: Runtime::Wasm, sha256: None, memory_mib: 0 };
    Job::without_challenge(plugin, Task::Walls)
}

/// All that a worker's environment holds: where machine code is kept, and how memory is pooled. What is not here, a
/// password among it, no plugin can read.
fn environment() -> Vec<(&'static str, OsString)> {
    // The folder of all caches is two above ours.
    let caches = code_folder().and_then(|folder| Some(folder.parent()?.parent()?.as_os_str().to_owned()));
    let pools = std::env::var_os("MALLOC_ARENA_MAX");
    [("XDG_CACHE_HOME", caches), ("MALLOC_ARENA_MAX", pools)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// What to say of a process whose output ended without a last word.
pub(super) fn crashed(
    worker: &mut Group,
    plugin: PathBuf,
    until: Instant,
    stderr: JoinHandle<String>,
) -> WorkerError {
    let status = worker.reap(until);
    let how = status.map_or_else(|| "it closed its output".into(), |status| status.to_string());
    let signal = status.and_then(|status| status.signal());
    WorkerError::Crashed { plugin, how, signal, stderr: stderr.join().unwrap_or_default() }
}

/// Reads events in a thread of its own, so that the deadline holds in every case. The channel closes
/// when the worker's output does.
fn listen(pipe: impl Read + Send + 'static) -> Receiver<Event> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut pipe = BufReader::with_capacity(1 << 16, pipe);
        while let Ok(Some(text)) = next_text(&mut pipe) {
            if let Ok(event) = serde_json::from_slice(&text)
                && sender.send(event).is_err()
            {
                break;
            }
        }
    });
    receiver
}

/// The next framed text: what stands between a record separator and the line feed after it.
fn next_text(pipe: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    if pipe.skip_until(b'\x1e')? == 0 {
        return Ok(None);
    }
    let mut text = Vec::new();
    pipe.by_ref().take(MAX_EVENT as u64).read_until(b'\n', &mut text)?;
    Ok(Some(text))
}

/// Reads to the end and keeps the last bytes.
fn tail(mut pipe: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = pipe.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        let excess = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().replace('\n', "; ")
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(", saying: {stderr}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn finds_events_among_noise() {
        let noisy = b"hello\n\x1e{\"event\":\"progress\",\"done\":0.5}\nmore noise\x1e{broken\n\x1e{\"event\":\"end\",\"peak_rss_kib\":7}\n";
        let events: Vec<_> = listen(&noisy[..]).iter().collect();
        assert!(matches!(events[0], Event::Progress { done } if done == 0.5));
        assert!(matches!(events[1], Event::End { peak_rss_kib: 7 }));
        assert_eq!(events.len(), 2);
    }

    fn launcher(dir: &Path, script: &str) -> Launcher {
        let program = dir.join("program");
        // By another process: a file that this one has open to write, a process of another test may have, too, and then
        // it cannot be started.
        let text = format!("#!/bin/sh\n{script}\n");
        let write = ["-c", "printf %s \"$1\" > \"$0\"; chmod 700 \"$0\"", program.to_str().unwrap(), &text];
        assert!(Command::new("/bin/sh").args(write).status().unwrap().success());
        Launcher { program: program.into(), deadline: Duration::from_secs(5) }
    }

    #[test]
    fn the_environment_is_what_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let seen = dir.path().join("seen");
        let launcher =
            launcher(dir.path(), &format!("/usr/bin/env > {}.new; mv {0}.new {0}", seen.display()));
        // Cargo's own variables are there to be left out.
        assert!(std::env::vars().count() > 5);
        assert!(matches!(launcher.walls(), Err(WorkerError::Crashed { .. })));
        let seen = std::fs::read_to_string(seen).unwrap();
        // What a shell adds by itself is no secret.
        let known = ["XDG_CACHE_HOME", "MALLOC_ARENA_MAX", "PWD", "SHLVL", "_", "OLDPWD", "PATH"];
        for line in seen.lines() {
            assert!(known.contains(&line.split('=').next().unwrap()), "{line}");
        }
    }

    #[test]
    fn a_worker_that_does_not_read_holds_up_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let launcher = launcher(dir.path(), "exec sleep 600");
        let launcher = Launcher { deadline: Duration::from_millis(300), ..launcher };
        // More than a pipe holds.
        let submissions = vec![serde_json::Value::from("x".repeat(1 << 20))];
        let job = Job { task: Task::Decode { submissions }, ..any_job() };
        let since = Instant::now();
        assert!(matches!(launcher.run(&job, |_| {}, |_| {}), Err(WorkerError::Deadline { .. })));
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    }

    #[test]
    fn a_component_whose_process_crashes_is_tried_once_more() {
        let dir = tempfile::tempdir().unwrap();
        let said = |name: &str, events: &[Event]| {
            let lines = events.iter().map(|event| format!("\x1e{}\n", serde_json::to_string(event).unwrap()));
            std::fs::write(dir.path().join(name), lines.collect::<String>()).unwrap();
        };
        let description = Description::new("a", "1", "b");
        let ready = Event::Ready { description, sha256: "ab".into() };
        said("said", &[ready, Event::End { peak_rss_kib: 7 }]);
        let runs = dir.path().join("runs");
        let script = |crashes: usize| {
            let here = dir.path().display();
            format!(
                "echo x >> {here}/runs; [ $(wc -l < {here}/runs) -gt {crashes} ] || kill -SEGV $$; cat {here}/said"
            )
        };
        let job = |runtime| {
            let job = any_job();
            Job { plugin: Source { runtime, ..job.plugin }, task: Task::Inspect, ..job }
        };
        let run = |crashes, runtime| {
            let _ = std::fs::remove_file(&runs);
            let mut log = Vec::new();
            let outcome = launcher(dir.path(), &script(crashes)).run(
                &job(runtime),
                |_| {},
                |line| log.push(line.to_owned()),
            );
            let times = std::fs::read_to_string(&runs).unwrap().lines().count();
            (outcome.map(|finished| finished.sha256).map_err(|error| error.to_string()), times, log.len())
        };
        assert_eq!(run(0, Runtime::Wasm), (Ok("ab".into()), 1, 0));
        assert_eq!(run(1, Runtime::Wasm), (Ok("ab".into()), 2, 1));
        let (outcome, times, _) = run(9, Runtime::Wasm);
        assert!(
            outcome.as_ref().is_err_and(|error| error.contains("signal: 11")) && times == 2,
            "{outcome:?}"
        );
        let (outcome, times, _) = run(1, Runtime::Native);
        assert!(outcome.is_err() && times == 1, "{outcome:?}");
    }

    #[test]
    fn all_that_a_worker_started_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let child = dir.path().join("child");
        let script = format!("sleep 600 & echo $! > {}.new; mv {0}.new {0}; read job; wait", child.display());
        let launcher = Launcher { deadline: Duration::from_millis(500), ..launcher(dir.path(), &script) };
        assert!(matches!(launcher.walls(), Err(WorkerError::Deadline { .. })));
        let child: i32 = std::fs::read_to_string(child).unwrap().trim().parse().unwrap();
        let until = Instant::now() + Duration::from_secs(5);
        // One that nobody reaps is a zombie: it is over as well.
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while runs() {
            assert!(Instant::now() < until, "the worker's own process outlives it");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn keeps_the_tail() {
        let long = [vec![b'x'; 10_000], b"the end\n".to_vec()].concat();
        let kept = tail(&long[..]);
        assert!(kept.len() < MAX_STDERR && kept.ends_with("the end"));
    }
}
