//! A worker's process: started, fed, heard.

use super::error::WorkerError;
use super::group::Group;
use super::input::Input;
use super::{Event, Job};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// No event is longer than this; what is longer comes from a plugin gone wild.
const MAX_EVENT: usize = 64 << 20;
/// How much of a worker's standard error is kept for the message.
const MAX_STDERR: usize = 4096;

/// A worker that runs.
pub(super) struct Process {
    pub(super) worker: Group,
    /// Kept open until the job is over: the worker ends itself when it closes.
    pub(super) stdin: Input,
    pub(super) events: Receiver<Event>,
    /// The end of its standard error.
    pub(super) stderr: JoinHandle<String>,
}

impl Process {
    /// Starts a command that is a worker, or leads to one, in a group of its own, and writes the job to it. `program` is what
    /// messages name.
    pub(super) fn start(mut command: Command, program: &Path, job: &Job) -> Result<Self, WorkerError> {
        let start = |source| WorkerError::Start { program: program.into(), source };
        command.process_group(0);
        let mut child = piped(&mut command).spawn().map_err(start)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let worker = Group::new(child);
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(start(io::ErrorKind::BrokenPipe.into()));
        };
        let mut stdin = Input::new(stdin);
        stdin.write(serde_json::to_vec(job).map_err(|e| start(e.into()))?);
        Ok(Self { worker, stdin, events: listen(stdout), stderr: thread::spawn(move || tail(stderr)) })
    }
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
    // A launcher ends as a shell would where its program was ended by a signal.
    let launched = |code: i32| (code > 128).then(|| code - 128);
    let signal = status.and_then(|status| status.signal().or_else(|| status.code().and_then(launched)));
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
