//! A strategy that runs.

use super::limits::Limits;
use super::program::Program;
use super::sandbox::Sandbox;
use crate::protocol::{FrameError, Hello, MAX_TEXT, Ready, Said, SaidError, Told, read_frame};
use mantis_scoring::worker::Group;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Records that are read ahead of being asked for.
const READ_AHEAD: usize = 16;
/// Bytes of its log that are kept.
const MAX_LOG: usize = 1 << 20;
/// How much of its standard error is kept.
const MAX_STDERR: usize = 8192;

/// A strategy that runs. It is ended, with all that it started, when this is dropped.
pub struct Child {
    process: Group,
    to: Sender<Vec<u8>>,
    from: Receiver<Result<Said, ChildError>>,
    /// The end of its standard error, when that has ended.
    stderr: Receiver<String>,
    limits: Limits,
    until: Instant,
    log: Log,
    ready: Ready,
}

/// What a strategy wrote for people.
#[derive(Debug, Default)]
struct Log {
    lines: Vec<String>,
    bytes: usize,
    dropped: u64,
}

/// What became of a strategy that gave no answer.
#[derive(Debug, Error)]
pub enum ChildError {
    /// It was never started.
    #[error("the strategy cannot be started: {0}")]
    Start(io::Error),
    /// It said something that is no record.
    #[error("the strategy broke the protocol: {0}")]
    Frame(#[from] FrameError),
    /// It said a record that means nothing.
    #[error("the strategy broke the protocol: {0}")]
    Said(#[from] SaidError),
    /// It said something else than what it was asked.
    #[error("the strategy broke the protocol: {0}")]
    Order(String),
    /// It gave up.
    #[error("the strategy gave up: {0}")]
    Failed(String),
    /// It did not answer in time.
    #[error(
        "the strategy gave no answer for {what} within {seconds} s and was ended; is it caught in a loop, or is that too short?"
    )]
    Silent {
        /// What was asked.
        what: String,
        /// How long it had.
        seconds: f64,
    },
    /// It used up the time that it has in all.
    #[error("the strategy was not done within {seconds} s in all and was ended; --seconds gives it more")]
    Late {
        /// How long it had.
        seconds: f64,
    },
    /// It ended before it was done.
    #[error("the strategy ended early ({how}){}", said(stderr))]
    Ended {
        /// Exit code or signal.
        how: String,
        /// The end of its standard error.
        stderr: String,
    },
}

impl Child {
    /// Starts a strategy and greets it.
    ///
    /// # Errors
    /// [`ChildError`]; nothing of it is left then.
    pub fn start(
        program: &Program,
        sandbox: Sandbox,
        limits: Limits,
        hello: &Hello,
    ) -> Result<Self, ChildError> {
        let mut command = Command::new("/bin/sh");
        // It waits for a line: until its limits stand, nothing of the strategy runs.
        command.args(["-c", "read -r go && exec \"$@\"", "strategy"]).args(sandbox.command(program));
        command.env_clear().envs(program.environment(false)).current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut leader = command.spawn().map_err(ChildError::Start)?;
        let pipes = (leader.stdin.take(), leader.stdout.take(), leader.stderr.take());
        let process = Group::new(leader);
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(ChildError::Start(io::ErrorKind::BrokenPipe.into()));
        };
        let pid = process.pid().ok_or_else(|| ChildError::Start(io::ErrorKind::NotFound.into()))?;
        limits.lower(pid).map_err(|error| ChildError::Start(error.into()))?;
        let (to, from) = (writer(stdin), reader(stdout, hello.numbers));
        let mut first = b"go\n".to_vec();
        Told::Hello(hello).write(&mut first);
        let mut child = Self {
            process,
            to,
            from,
            stderr: tail(stderr),
            limits,
            until: Instant::now() + limits.all,
            log: Log::default(),
            ready: Ready { warmup: 0, interval: 1, found: None },
        };
        child.tell(first);
        child.ready = match child.hear("the greeting")? {
            Said::Ready(ready) => ready,
            other => {
                return Err(ChildError::Order(format!("before its ready record it sent {}", name(&other))));
            }
        };
        Ok(child)
    }

    /// What it asks for.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Sends records; comes back at once. That they cannot be sent is seen when an answer is waited for.
    pub fn tell(&self, records: Vec<u8>) {
        let _ = self.to.send(records);
    }

    /// Waits for the answer for a row. Empty where it has nothing to say.
    ///
    /// # Errors
    /// [`ChildError`]; the strategy is of no more use then.
    pub fn answer(&mut self, row: u64) -> Result<Vec<f32>, ChildError> {
        match self.hear(&format!("row {row}"))? {
            Said::Answer { t, numbers } if t == row => Ok(numbers),
            Said::Answer { t, .. } => {
                Err(ChildError::Order(format!("asked about row {row}, it answered for row {t}")))
            }
            other => Err(ChildError::Order(format!("asked about row {row}, it sent {}", name(&other)))),
        }
    }

    /// Says that no more rows come, and gives what it wrote for people.
    #[must_use]
    pub fn finish(mut self) -> Vec<String> {
        let mut bye = Vec::new();
        Told::Bye.write(&mut bye);
        self.tell(bye);
        let until = Instant::now() + Duration::from_secs(2);
        while let Ok(Ok(said)) = self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if let Said::Log(line) = said {
                self.log.add(line);
            }
        }
        self.log.finish()
    }

    /// The next record that is not for people.
    fn hear(&mut self, what: &str) -> Result<Said, ChildError> {
        let until = (Instant::now() + self.limits.answer).min(self.until);
        loop {
            match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
                // A flood of lines does not hold the clock up.
                Ok(Ok(Said::Log(line))) if Instant::now() < until => self.log.add(line),
                Ok(Ok(Said::Fail(why))) => return Err(ChildError::Failed(why)),
                Err(RecvTimeoutError::Timeout) | Ok(Ok(Said::Log(_))) => return Err(self.late(what)),
                Ok(Ok(said)) => return Ok(said),
                Ok(Err(error)) => return Err(error),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.process.reap(Instant::now() + Duration::from_secs(2));
                    // Something that it left behind may hold it open.
                    let stderr = self.stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                    return Err(ChildError::Ended { how: shown(status), stderr });
                }
            }
        }
    }

    fn late(&self, what: &str) -> ChildError {
        if Instant::now() >= self.until {
            return ChildError::Late { seconds: self.limits.all.as_secs_f64() };
        }
        ChildError::Silent { what: what.into(), seconds: self.limits.answer.as_secs_f64() }
    }
}

impl Log {
    fn add(&mut self, line: String) {
        if self.bytes + line.len() > MAX_LOG {
            self.dropped += 1;
            return;
        }
        self.bytes += line.len().max(16);
        self.lines.push(line);
    }

    fn finish(mut self) -> Vec<String> {
        if self.dropped > 0 {
            self.lines.push(format!("({} more lines were dropped)", self.dropped));
        }
        self.lines
    }
}

/// Writes in a thread of its own: a strategy that does not read holds up nobody.
fn writer(mut stdin: ChildStdin) -> Sender<Vec<u8>> {
    let (sender, receiver) = channel::<Vec<u8>>();
    thread::spawn(move || {
        for records in receiver {
            // A pipe that broke means that the strategy ended, which its exit status tells better.
            if stdin.write_all(&records).is_err() {
                break;
            }
        }
    });
    sender
}

/// Reads in a thread of its own, so that time is kept in every case. It ends when the strategy's output does.
fn reader(stdout: impl Read + Send + 'static, numbers: usize) -> Receiver<Result<Said, ChildError>> {
    let (sender, receiver) = sync_channel(READ_AHEAD);
    thread::spawn(move || read_all(io::BufReader::with_capacity(1 << 16, stdout), numbers, &sender));
    receiver
}

fn read_all(mut pipe: impl Read, numbers: usize, sender: &SyncSender<Result<Said, ChildError>>) {
    let most = MAX_TEXT.max(9 + 4 * numbers);
    loop {
        let said = match read_frame(&mut pipe, most) {
            Ok(None) => return,
            Ok(Some((kind, body))) => Said::parse(kind, &body, numbers).map_err(ChildError::from),
            Err(error) => Err(error.into()),
        };
        let is_last = said.is_err();
        if sender.send(said).is_err() || is_last {
            return;
        }
    }
}

/// Reads to the end in a thread of its own, and gives the last bytes.
fn tail(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(end_of(pipe)));
    receiver
}

fn end_of(mut pipe: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = pipe.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        let excess = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..excess);
    }
    let text = String::from_utf8_lossy(&kept);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect::<String>().trim().into()
}

fn name(said: &Said) -> &'static str {
    match said {
        Said::Ready(_) => "another ready record",
        Said::Answer { .. } => "an answer",
        Said::Log(_) => "a line",
        Said::Fail(_) => "a failure",
    }
}

fn shown(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "it closed its output".into(), |status| status.to_string())
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(", saying:\n{stderr}") }
}
