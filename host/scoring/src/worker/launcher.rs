//! The host's side: start a worker, feed it, bound it.

use super::{Event, Failure, Job};
use mantis_plugin_api::{Description, PluginError, Salience};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
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
    pub program: PathBuf,
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
        Ok(Self { program: std::env::current_exe()?, deadline })
    }

    /// Does one job in a process of its own; `on_progress` and `on_log` hear of it meanwhile.
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
                Ok(Event::Scored { salience }) => outcome.salience = Some(salience),
                Ok(Event::Decoded { vectors }) => outcome.vectors = vectors,
                // Only a serving worker is asked to track.
                Ok(Event::Tracked { .. }) => {}
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
            let Outcome { salience, vectors, .. } = outcome;
            return Ok(Finished { description, sha256, salience, vectors, peak_rss_kib });
        }
        if let Some(failure) = outcome.failure {
            return Err(failure.into());
        }
        Err(worker.crashed(job.plugin.path.clone(), until, stderr))
    }

    /// Starts a worker with a job of any kind.
    pub(super) fn start(&self, job: &Job) -> Result<Process, WorkerError> {
        let start = |source| WorkerError::Start { program: self.program.clone(), source };
        let mut child = Command::new(&self.program)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let worker = Guard(child);
        let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(start(io::ErrorKind::BrokenPipe.into()));
        };
        let mut line = serde_json::to_vec(job).map_err(|e| start(e.into()))?;
        line.push(b'\n');
        // A write that fails means that the worker died, which its exit status tells better.
        let _ = stdin.write_all(&line);
        Ok(Process { worker, stdin, events: listen(stdout), stderr: thread::spawn(move || tail(stderr)) })
    }
}

/// A worker that runs.
pub(super) struct Process {
    pub(super) worker: Guard,
    /// Kept open until the job is over: the worker ends itself when it closes.
    pub(super) stdin: ChildStdin,
    pub(super) events: Receiver<Event>,
    /// The end of its standard error.
    pub(super) stderr: JoinHandle<String>,
}

#[derive(Default)]
struct Outcome {
    ready: Option<(Description, String)>,
    salience: Option<Salience>,
    vectors: Vec<Result<Vec<f32>, PluginError>>,
    failure: Option<Failure>,
    peak_rss_kib: Option<u64>,
}

/// Ends and reaps the process in every case.
pub(super) struct Guard(Child);

impl Guard {
    /// What to say of a process whose output ended without a last word.
    pub(super) fn crashed(
        &mut self,
        plugin: PathBuf,
        until: Instant,
        stderr: JoinHandle<String>,
    ) -> WorkerError {
        let how = self.reap(until).map_or_else(|| "it closed its output".into(), |status| status.to_string());
        WorkerError::Crashed { plugin, how, stderr: stderr.join().unwrap_or_default() }
    }

    /// Waits for the process to end by itself, a little beyond its last word, then ends it.
    fn reap(&mut self, until: Instant) -> Option<ExitStatus> {
        let until = until.min(Instant::now() + Duration::from_secs(2));
        while Instant::now() < until {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        self.0.wait().ok()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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

    #[test]
    fn finds_events_among_noise() {
        let noisy = b"hello\n\x1e{\"event\":\"progress\",\"done\":0.5}\nmore noise\x1e{broken\n\x1e{\"event\":\"end\",\"peak_rss_kib\":7}\n";
        let events: Vec<_> = listen(&noisy[..]).iter().collect();
        assert!(matches!(events[0], Event::Progress { done } if done == 0.5));
        assert!(matches!(events[1], Event::End { peak_rss_kib: 7 }));
        assert_eq!(events.len(), 2);
    }

    #[test]
    fn keeps_the_tail() {
        let long = [vec![b'x'; 10_000], b"the end\n".to_vec()].concat();
        let kept = tail(&long[..]);
        assert!(kept.len() < MAX_STDERR && kept.ends_with("the end"));
    }
}
