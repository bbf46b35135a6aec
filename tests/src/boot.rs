//! A system of its own beside this machine's, with a systemd that runs: what is installed there, this machine never sees.

use crate::root;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Its first process.
const SYSTEMD: &str = "/lib/systemd/systemd";
/// What a user finds there.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Time that it may take to start, and one command in it.
const PATIENCE: u64 = 60;

/// Which network the system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// This machine's: servers of a test on loopback are reached.
    Shared,
    /// One of its own, which nothing of this machine is in: every port is free.
    Own,
}

/// A system that runs until this is dropped.
pub struct System {
    /// Ends the system when its standard input ends.
    keeper: Child,
    /// The number of the system's process 1 among this machine's.
    first: String,
    _scratch: TempDir,
}

impl System {
    /// Boots it; each folder is also there, under the path beside it.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn boot(net: Net, folders: &[(&Path, &str)]) -> Self {
        let scratch = tempfile::tempdir().expect("a folder");
        let mut command = script();
        command.args((net == Net::Own).then_some("--net")).arg(scratch.path());
        command.args(folders.iter().map(|(from, to)| format!("{}:{to}", from.display())));
        command.args(["--", SYSTEMD, "--system", "--unit=multi-user.target", "--log-target=journal"]);
        let mut keeper = command.spawn().expect("bash runs");
        let mut first = String::new();
        let out = keeper.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut first).expect("the first process");
        assert!(!first.is_empty(), "no system of its own");
        let system = Self { keeper, first: first.trim().into(), _scratch: scratch };
        let until = Instant::now() + Duration::from_secs(PATIENCE);
        while !is_well(&system.bash("systemctl is-active multi-user.target")) {
            assert!(Instant::now() < until, "the system does not come up");
            sleep(Duration::from_millis(50));
        }
        system
    }

    /// A command of root's, in this folder.
    #[must_use]
    pub fn command(&self, folder: &str, words: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.first, "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net"]);
        command.args(["env", "-i", "HOME=/root", "LANG=C.UTF-8", PATH, "timeout", &PATIENCE.to_string()]);
        // Never on this machine, whatever has become of the system.
        let words = format!("test -e /.mantis-test && cd {folder} && {words}");
        command.args(["bash", "-c", &words]).stdin(Stdio::null());
        command
    }

    /// What comes of words of root's.
    ///
    /// # Panics
    /// If they cannot be spoken.
    #[must_use]
    pub fn bash(&self, words: &str) -> Output {
        self.command("/", words).output().expect("nsenter runs")
    }

    /// What is printed by words of root's that must do.
    ///
    /// # Panics
    /// If they do not.
    pub fn must(&self, words: &str) -> String {
        said(words, self.bash(words))
    }
}

impl Drop for System {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// What a command printed that must have done what it was to.
///
/// # Panics
/// If it has not.
pub fn said(words: &str, output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(is_well(&output), "{words}: {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}

fn is_well(output: &Output) -> bool {
    output.status.success()
}

fn script() -> Command {
    let mut command = Command::new("bash");
    command.arg(root().join("tests/fixtures/deploy/boot.sh"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// What is missing for a system of one's own.
pub(crate) fn missing() -> Option<String> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    if !is_root {
        return Some("not root, so no systemd of its own".into());
    }
    if !Path::new(SYSTEMD).is_file() {
        return Some("no systemd".into());
    }
    match try_out() {
        Ok(said) if said.contains("it runs") => None,
        Ok(said) => Some(format!("no system of its own: {}", said.trim())),
        Err(error) => Some(format!("no system of its own: {error}")),
    }
}

/// What is said when a system is started that only says that it runs.
fn try_out() -> io::Result<String> {
    let scratch = tempfile::tempdir()?;
    let mut command = script();
    command.arg(scratch.path()).args(["--", "echo", "it runs"]).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // What is printed there comes on standard error.
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said)?;
    }
    drop(child.stdin.take());
    child.wait()?;
    Ok(said)
}
