//! Challenges scored through a real Slurm, whose parts fail in the middle of it.

use mantis_tests::need::{Need, has_wasm};
use mantis_tests::slurm::Slurm;
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, mantis, note, root, stdout, timeless, tiny_ledger, trial};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(every_challenge_has_the_same_bits).needs(Need::Slurm).apart("slurm").takes(25),
        trial!(whatever_is_killed_the_scores_are_there).needs(Need::Slurm).apart("slurm").takes(60),
        trial!(a_replay_gives_every_job_once).needs(Need::Slurm).apart("slurm").takes(60),
        trial!(a_job_without_memory_is_not_tried_with_as_much_again)
            .needs(Need::Slurm)
            .apart("slurm")
            .takes(20),
    ]
}

const SRUN: &str = "\"srun\", \"--quiet\", \"--ntasks=1\", \"--time={minutes}\", \"--kill-on-bad-exit\"";

/// `[scoring]` with this engine.
fn scoring(dir: &Path, launcher: &str, more: &str) -> String {
    let shared = dir.join("shared");
    format!(
        "\n[scoring]\nlauncher = [{launcher}]\nscratch = \"{}\"\nenv = [\"SLURM_CONF\"]\n{more}",
        shared.display()
    )
}

/// A folder whose path has plain letters only.
fn folder() -> TempDir {
    tempfile::Builder::new().prefix("mantis-cluster-").tempdir().unwrap()
}

/// The shipped configuration, and the same with the engine.
fn shipped(dir: &Path, launcher: &str) -> [PathBuf; 2] {
    let text = fs::read_to_string(root().join("challenges.toml")).unwrap();
    let here = format!("plugin_dir = \"{}\"\n{}\n", bin_dir().display(), without_plugin_dir(&text));
    let there = here.clone() + &scoring(dir, launcher, "");
    [("here.toml", here), ("there.toml", there)].map(|(name, text)| {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    })
}

fn every_challenge_has_the_same_bits() {
    let (slurm, dir) = (Slurm::start(), folder());
    let launcher = format!("{SRUN}, \"--mem={{memory_mib}}M\", \"--job-name=mantis-{{challenge}}-{{id}}\"");
    let [here, there] = shipped(dir.path(), &launcher);
    let ledger = dir.path().join("a.db");
    let mut simulate = mantis();
    simulate.args(["simulate", "--rows", "9000", "--miners", "12", "--config"]).arg(&here);
    stdout(simulate.arg("--out").arg(&ledger));
    let runtimes: &[&str] = if has_wasm() { &["native", "wasm"] } else { &["native"] };
    for runtime in runtimes {
        let score = |config: &Path| {
            let mut command = slurm.program(bin_dir().join("mantis").to_str().unwrap());
            command.current_dir(root()).env("XDG_CACHE_HOME", bin_dir().join("cache"));
            command.args(["score", "--json", "--threads", "2", "--runtime", runtime, "--ledger"]);
            let output = command.arg(&ledger).arg("--config").arg(config).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success() && !said.contains("batch engine"), "{said}");
            timeless(serde_json::from_slice(&output.stdout).unwrap())
        };
        let began = Instant::now();
        let direct = score(&here);
        let between = Instant::now();
        assert_eq!(direct, score(&there), "{runtime}");
        note!("{runtime}: {:?} here, {:?} by Slurm", between - began, between.elapsed());
        // Not all are paid after six days, but each has been scored.
        assert!(direct["per_challenge"].as_object().unwrap().len() >= 8, "{direct:#}");
    }
    // They were Slurm's jobs, and their histories lay where all machines see them.
    let kept = fs::read_dir(dir.path().join("shared/histories")).unwrap().count();
    assert_eq!(kept, 1);
    assert!(fs::read_dir(dir.path().join("shared/snapshots")).unwrap().next().is_none());
    assert!(!dir.path().join("a.db.history").join("ETH").join("other").exists());
}

/// A challenge that is at work for a while, and a quick one.
fn slow(dir: &Path, launcher: &str, more: &str) -> PathBuf {
    let mut text = format!("plugin_dir = \"{}\"\n", bin_dir().display());
    text += &scoring(dir, launcher, more);
    for how in ["slow", "none"] {
        challenge(&mut text, how);
    }
    let path = dir.join("slow.toml");
    fs::write(&path, text).unwrap();
    path
}

fn challenge(text: &mut String, how: &str) {
    let ticker = how.to_uppercase();
    write!(
        text,
        "\n[[challenge]]\nname = \"{how}\"\nticker = \"{ticker}\"\nplugin = \"hostile\"\ndim = 2\nblocks_ahead = 10\n\
         weight = 1.0\n[challenge.params]\nhow = \"{how}\"\n"
    )
    .unwrap();
}

fn begin(slurm: &Slurm, config: &Path, ledger: &Path) -> Child {
    let mut command = slurm.program(bin_dir().join("mantis").to_str().unwrap());
    command.args(["score", "--json", "--deadline", "120", "--threads", "2", "--ledger"]).arg(ledger);
    command.arg("--config").arg(config).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(child: Child) -> (Value, String) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (timeless(serde_json::from_slice(&output.stdout).unwrap()), said)
}

fn whatever_is_killed_the_scores_are_there() {
    let (mut slurm, dir) = (Slurm::start(), folder());
    let ledger = dir.path().join("a.db");
    tiny_ledger(&ledger, &["SLOW", "NONE"], 20);
    let config = slow(dir.path(), SRUN, "silence = 4\nqueue = 8\n");
    let sound = end(begin(&slurm, &config, &ledger)).0;
    assert_eq!(sound["per_challenge"].as_object().unwrap().len(), 2, "{sound:#}");
    let shared = dir.path().join("shared").display().to_string();
    for victim in ["worker", "srun", "slurmstepd", "n1", "slurmctld", "drained"] {
        let child = begin(&slurm, &config, &ledger);
        // In the middle: a worker is there, and it is the slow one's in all likelihood.
        let until = Instant::now() + Duration::from_secs(30);
        while slurm.processes(&[&shared, "worker"]).is_empty() {
            assert!(Instant::now() < until, "no worker begins");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        let since = Instant::now();
        match victim {
            "worker" => kill(&slurm.processes(&[&shared, "worker"])),
            // One that is looked up and gone meanwhile has done its work.
            "srun" => kill(&slurm.processes(&["srun", "--quiet"])),
            "slurmstepd" => kill(&slurm.processes(&["slurmstepd"])),
            "drained" => {
                let drain = ["update", "nodename=n1", "state=drain", "reason=test"];
                assert!(slurm.program("scontrol").args(drain).status().unwrap().success());
            }
            daemon => slurm.kill(daemon),
        }
        let (document, said) = end(child);
        note!("{victim} killed: {:?}; {}", since.elapsed(), said.replace('\n', " | "));
        assert_eq!(document, sound, "{victim}: {said}");
        assert!(since.elapsed() < Duration::from_secs(65), "{victim}: {:?}", since.elapsed());
        if victim == "drained" {
            let resume = ["update", "nodename=n1", "state=resume"];
            assert!(slurm.program("scontrol").args(resume).status().unwrap().success());
        }
        slurm.restore();
        // Nothing is held that nobody waits for.
        slurm.await_no_jobs();
    }
}

fn kill(ids: &[u32]) {
    for id in ids {
        std::process::Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
    }
}

fn a_job_without_memory_is_not_tried_with_as_much_again() {
    let (slurm, dir) = (Slurm::start(), folder());
    let ledger = dir.path().join("a.db");
    tiny_ledger(&ledger, &["HOLD", "NONE"], 20);
    for (memory, attempts) in [("--mem=200M", 1), ("--mem={memory_mib}M", 2)] {
        let mut text = format!("plugin_dir = \"{}\"\n", bin_dir().display());
        text += &scoring(dir.path(), &format!("{SRUN}, \"{memory}\""), "attempts = 3\n");
        challenge(&mut text, "hold");
        challenge(&mut text, "none");
        let config = dir.path().join("hold.toml");
        fs::write(&config, text).unwrap();
        let (document, said) = end(begin(&slurm, &config, &ledger));
        note!("{memory}: {said}");
        assert!(document["per_challenge"]["NONE"].is_object(), "{document:#}");
        let failed =
            (1..4).filter(|n| said.contains(&format!("attempt {n} of the batch engine failed"))).count();
        assert_eq!(failed, attempts, "{said}");
        assert!(said.to_lowercase().contains("memory"), "{said}");
        if memory == "--mem=200M" {
            let why = document["skipped"]["HOLD"].as_str().unwrap();
            assert!(why.contains("exceeded memory limit") || why.contains("oom_kill"), "{why}");
        } else {
            // 256, 512, then 1,024 MiB: enough.
            assert!(document["per_challenge"]["HOLD"].is_object(), "{document:#}{said}");
        }
    }
}

fn a_replay_gives_every_job_once() {
    let (slurm, dir) = (Slurm::start(), folder());
    let (ledger, played) = super::replay::copied("replay-cluster");
    let base = fs::read_to_string(played.join("small.toml")).unwrap();
    let base = format!("plugin_dir = \"{}\"\n{}", bin_dir().display(), without_plugin_dir(&base));
    let here = played.join("here.toml");
    fs::write(&here, &base).unwrap();
    let there = played.join("there.toml");
    fs::write(&there, base.clone() + &scoring(dir.path(), SRUN, "parallel = 4\n")).unwrap();
    // A candidate that changes one challenge, and one that changes a weight alone.
    let candidate = |name: &str, from: &str, to: &str| {
        assert!(base.contains(from), "{from}");
        let path = played.join(name);
        fs::write(&path, base.replacen(from, to, 1)).unwrap();
        path
    };
    let solver = candidate("solver.toml", "\nsolver = \"network\"\n", "\nsolver = \"exact\"\n");
    let burn = candidate("burn.toml", "\nburn = 0.3\n", "\nburn = 0.5\n");
    let replay = |base: &Path, cache: &Path| {
        let mut command = slurm.program(bin_dir().join("mantis").to_str().unwrap());
        command.args(["replay", "--json", "--ledger"]).arg(&ledger).arg("--base").arg(base);
        command.arg("--cache").arg(cache).arg("--config").arg(&solver).arg("--config").arg(&burn);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let whole = |mut command: std::process::Command| {
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let cache = document.as_object_mut().unwrap().remove("cache").unwrap();
        (timeless(document), cache, said)
    };
    let (direct, in_turn, _) = whole(replay(&here, &dir.path().join("cache-here")));
    // Killed in the middle, then gone on with.
    let cache = dir.path().join("cache-there");
    let mut killed = replay(&there, &cache).spawn().unwrap();
    let journal = cache.join("jobs.db");
    let count = |sql: &str| -> i64 {
        let conn = rusqlite::Connection::open(&journal);
        conn.and_then(|conn| conn.query_row(sql, [], |row| row.get(0))).unwrap_or(0)
    };
    let until = Instant::now() + Duration::from_secs(60);
    while count("SELECT count(*) FROM jobs WHERE state = 'done'") < 3 {
        assert!(Instant::now() < until, "no jobs are done");
        std::thread::sleep(Duration::from_millis(50));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = count("SELECT count(*) FROM jobs WHERE state = 'done'");
    let (by_jobs, counts, said) = whole(replay(&there, &cache));
    assert_eq!(direct, by_jobs, "{said}");
    let (done, all) =
        (count("SELECT count(*) FROM jobs WHERE state = 'done'"), count("SELECT count(*) FROM jobs"));
    note!("{before} done when it was killed, {all} in all; {said}; {counts} {in_turn}");
    assert_eq!(done, all);
    assert_eq!(count("SELECT count(*) FROM jobs WHERE attempts > 1"), 0);
    // What the first run had scored was found, the rest scored once.
    let scored = counts["scored"].as_i64().unwrap();
    assert!(scored < all && scored >= all - before - 4, "{scored} of {all}, {before} before");
    assert_eq!(in_turn["scored"].as_i64().unwrap(), all, "{in_turn}");
    assert!(said.contains("jobs: ") && said.contains("; workers took "), "{said}");
}

fn without_plugin_dir(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("plugin_dir")).collect::<Vec<_>>().join("\n")
}
