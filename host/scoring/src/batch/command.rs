//! The command by which an engine runs a worker.

use mantis_config::BatchEngine;
use std::env::var_os;
use std::path::Path;
use std::process::Command;

/// What the words of a launcher may name.
pub(super) struct JobWords<'a> {
    pub(super) challenge: &'a str,
    pub(super) memory_mib: u64,
    pub(super) minutes: u64,
    pub(super) id: String,
}

/// Variables that a launcher needs to be found, and to find what is its user's.
const ALWAYS: [&str; 3] = ["PATH", "HOME", "USER"];

/// The launcher, then the worker with an environment of its own: engines hand on the launcher's.
pub(super) fn command(engine: &BatchEngine, job: &JobWords<'_>, code: &Path, program: &Path) -> Command {
    let mut words = engine.launcher.iter().map(|word| job.filled(word));
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).args(["/usr/bin/env", "-i", "MALLOC_ARENA_MAX=2"]);
    command.arg(format!("XDG_CACHE_HOME={}", code.display())).arg(program).arg("worker");
    let names = ALWAYS.into_iter().chain(engine.env.iter().map(String::as_str));
    command.env_clear().envs(names.filter_map(|name| Some((name, var_os(name)?))));
    command
}

impl JobWords<'_> {
    fn filled(&self, word: &str) -> String {
        word.replace("{challenge}", self.challenge)
            .replace("{memory_mib}", &self.memory_mib.to_string())
            .replace("{minutes}", &self.minutes.to_string())
            .replace("{id}", &self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn engine(launcher: &[&str]) -> BatchEngine {
        BatchEngine {
            launcher: launcher.iter().map(|word| (*word).into()).collect(),
            scratch: "/shared".into(),
            parallel: None,
            attempts: 1,
            silence: Duration::from_secs(1),
            queue: Duration::from_secs(1),
            fallback: false,
            env: Vec::new(),
        }
    }

    #[test]
    fn words_are_filled_and_the_worker_has_an_environment_of_its_own() {
        let job = JobWords { challenge: "ETH", memory_mib: 300, minutes: 30, id: "1-2-3".into() };
        let engine =
            engine(&["srun", "--mem={memory_mib}M", "--time={minutes}", "-J{challenge}-{id}", "a b"]);
        let command = command(&engine, &job, "/shared/code".as_ref(), "/shared/programs/x".as_ref());
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(command.get_program(), "srun");
        assert_eq!(
            words,
            [
                "--mem=300M",
                "--time=30",
                "-JETH-1-2-3",
                "a b",
                "/usr/bin/env",
                "-i",
                "MALLOC_ARENA_MAX=2",
                "XDG_CACHE_HOME=/shared/code",
                "/shared/programs/x",
                "worker"
            ]
        );
        // Cargo's own variables are there to be left out.
        assert!(var_os("CARGO_MANIFEST_DIR").is_some());
        assert!(command.get_envs().all(|(name, _)| ALWAYS.iter().any(|known| name == *known)));
    }
}
