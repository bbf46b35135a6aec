//! The chain's real runtime on this machine, in chopsticks.

use crate::no_program;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// What a chain is started with.
#[derive(Clone, Debug)]
pub struct Tools {
    script: PathBuf,
    chopsticks: PathBuf,
}

/// A running chain; it ends when it is dropped.
pub struct Localnet {
    child: Child,
    /// What it said when it was ready.
    pub ready: Value,
    /// Its port on loopback.
    pub port: u16,
}

/// All that it takes: the chain's script, and the folder of chopsticks.
///
/// # Errors
/// If something is missing, saying what.
pub fn tools() -> Result<Tools, String> {
    let script = crate::root().join("../shared/localnet/localnet.mjs");
    let Some(chopsticks) = std::env::var_os("MANTIS_CHOPSTICKS").map(PathBuf::from) else {
        return Err("MANTIS_CHOPSTICKS is not set".into());
    };
    if !chopsticks.join("node_modules/@acala-network/chopsticks").is_dir() {
        return Err("no @acala-network/chopsticks in MANTIS_CHOPSTICKS".into());
    }
    if !script.is_file() {
        return Err("no localnet.mjs in ../shared".into());
    }
    match no_program("node") {
        Some(what) => Err(what),
        None => Ok(Tools { script, chopsticks }),
    }
}

/// A port that is free, and stays so: another one each time, below those that the system gives to other tests.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another process of these tests begins elsewhere.
    let begin = (std::process::id() % 1000) as u16 * 12;
    let mut ports = PORTS.map(|_| PORTS.start + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(is_free).expect("a free port")
}

impl Localnet {
    /// Starts the chain with these further options, and waits until it can be used.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(tools: &Tools, port: u16, options: &[&str]) -> Self {
        let mut child = Command::new("node")
            .arg(&tools.script)
            .arg("--chop")
            .arg(&tools.chopsticks)
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
    /// If that fails.
    pub fn signal(&self, signal: &str) {
        let pid = self.ready["chopsticksPid"].as_u64().expect("the node's id").to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(status.success(), "kill {signal} {pid}");
    }

    /// Stops it, and waits until its port is free.
    ///
    /// # Panics
    /// If it does not stop.
    pub fn stop(&mut self) {
        // A process that has ended needs no signal.
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
