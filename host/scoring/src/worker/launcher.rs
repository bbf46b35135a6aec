//! The host's side: start a worker, feed it, bound it.

use super::error::WorkerError;
use super::process::{Process, crashed};
use super::program::Program;
use super::talk::{Finished, Hears, Patience, attend};
use super::{Event, Job, Task, Walls};
use crate::plugins::{Source, code_folder, forget_code};
use mantis_config::Runtime;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Starts workers.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The `mantis` program.
    pub program: Program,
    /// How long a job may take.
    pub deadline: Duration,
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
        let patience = Patience::from_now(self.deadline);
        let mut run_once = |log: &mut dyn FnMut(&str)| {
            let hears = Hears { progress: &mut on_progress, log, begun: &mut |_| {} };
            attend(self.start(job)?, job, patience, hears)
        };
        match run_once(&mut on_log) {
            Err(error) if error.may_be_damaged_code(&job.plugin) => {
                on_log("its process crashed: it is compiled anew and tried once more");
                forget_code(&job.plugin.path);
                run_once(&mut on_log)
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
            Ok(Event::Walls { walls, .. }) => Ok(walls),
            Err(RecvTimeoutError::Timeout) => {
                Err(WorkerError::Deadline { seconds: self.deadline.as_secs_f64() })
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                Err(crashed(&mut worker, self.program.path().into(), until, stderr))
            }
        }
    }

    /// Starts a worker with a job of any kind.
    pub(super) fn start(&self, job: &Job) -> Result<Process, WorkerError> {
        let program = self.program.path();
        let start = |source| WorkerError::Start { program: program.into(), source };
        let mut command = self.program.command().map_err(start)?;
        command.arg("worker").env_clear().envs(environment());
        Process::start(command, program, job)
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

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::Description;
    use std::path::Path;
    use std::process::Command;
    use std::thread;

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
}
