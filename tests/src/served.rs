//! A dashboard that runs as a process of its own.

use crate::http::get;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A `mantis dashboard`, or another command that says where its dashboard is, until it is dropped.
pub struct Served {
    child: Child,
    /// Where it answers.
    pub server: SocketAddr,
}

impl Served {
    /// Starts it, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready within a minute.
    pub fn start(command: &mut Command) -> Self {
        let started = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = started.expect("the program runs");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let server = address.unwrap_or_else(|| panic!("{line}")).parse().expect("an address");
        let until = Instant::now() + Duration::from_secs(60);
        while get(server, "/readyz").status != 200 {
            assert!(Instant::now() < until, "{}", get(server, "/readyz").text());
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, server }
    }

    /// The number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
