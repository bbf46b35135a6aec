//! What is written to a worker, by a thread of its own: one that does not read holds up nobody, and the deadline holds.

use std::io::Write;
use std::process::ChildStdin;
use std::thread::{self, JoinHandle};

/// A worker's standard input. It closes when this is dropped, or, where something is still being written, when the
/// worker is gone.
pub(super) struct Input(Option<JoinHandle<Option<ChildStdin>>>);

impl Input {
    /// An input to which nothing was written yet.
    pub(super) fn new(stdin: ChildStdin) -> Self {
        Self(Some(thread::spawn(|| Some(stdin))))
    }

    /// Writes a line, after those before it; comes back at once. A write that fails means that the worker died, which
    /// its exit status tells better.
    pub(super) fn write(&mut self, mut line: Vec<u8>) {
        line.push(b'\n');
        let before = self.0.take();
        self.0 = Some(thread::spawn(move || {
            let mut stdin = before?.join().ok().flatten()?;
            stdin.write_all(&line).is_ok().then_some(stdin)
        }));
    }
}
