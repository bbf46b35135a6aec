//! The chain's real runtime on this machine, in chopsticks.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running chain; it ends when it is dropped.
pub struct Localnet {
    child: Child,
    /// What it said when it was ready.
    pub ready: Value,
    /// Its port on loopback.
    pub port: u16,
}

/// Whether there is all that it takes: node, chopsticks, and the chain's files; else says on the terminal what is
/// missing.
#[must_use]
pub fn installed() -> Option<(PathBuf, PathBuf)> {
    let script = crate::root().join("../shared/localnet/localnet.mjs");
    let missing = |what: String| {
        println!("SKIPPED, not tested against the real runtime: {what}");
        None
    };
    let Some(chop) = std::env::var_os("MANTIS_CHOPSTICKS").map(PathBuf::from) else {
        return missing(
            "MANTIS_CHOPSTICKS does not name the folder of an installed @acala-network/chopsticks".into(),
        );
    };
    if !chop.join("node_modules/@acala-network/chopsticks").is_dir() {
        return missing(format!("{} has no @acala-network/chopsticks: npm install it there", chop.display()));
    }
    if !script.is_file() {
        return missing(format!("{} is not there", script.display()));
    }
    match Command::new("node").arg("--version").output() {
        Ok(output) if output.status.success() => Some((script, chop)),
        _ => missing("there is no program node".into()),
    }
}

/// A port that was free a moment ago.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl Localnet {
    /// Starts the chain with these further options, and waits until it can be used.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start((script, chop): &(PathBuf, PathBuf), port: u16, options: &[&str]) -> Self {
        let script: &Path = script;
        let mut child = Command::new("node")
            .arg(script)
            .arg("--chop")
            .arg(chop)
            .args(["--port", &port.to_string()])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let out = child.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("its output");
        let ready: Value = serde_json::from_str(&line).unwrap_or(json!(null));
        assert_eq!(ready["ready"], json!(true), "localnet.mjs did not start: {line}");
        Self { child, ready, port }
    }

    /// Sends a signal to the node itself.
    ///
    /// # Panics
    /// Where that fails.
    pub fn signal(&self, signal: &str) {
        let pid = self.ready["chopsticksPid"].as_u64().expect("the node's id").to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(status.success(), "kill {signal} {pid}");
    }

    /// Stops it, and waits until its port is free.
    ///
    /// # Panics
    /// Where it does not stop.
    pub fn stop(&mut self) {
        // Whoever has ended already needs no signal.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let start = Instant::now();
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "port {} stays in use", self.port);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        let pid = self.ready["chopsticksPid"].as_u64().unwrap_or_default().to_string();
        let _ = Command::new("kill").args(["-CONT", &pid]).stderr(Stdio::null()).status();
        let _ =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}
