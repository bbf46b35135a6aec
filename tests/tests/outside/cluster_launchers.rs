//! Launchers of every kind: those that only pass on, and those that lie, die and hang.

use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, mantis, timeless, tiny_ledger, trial};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_prefix_changes_nothing_and_workers_get_none_of_its_environment).takes(3),
        trial!(an_attempt_that_failed_is_made_again).takes(15),
        trial!(an_engine_that_is_not_there_costs_time_only).takes(5),
        trial!(a_fault_of_the_plugins_own_is_not_tried_again).takes(5),
        trial!(a_folder_that_others_may_write_to_is_refused),
    ]
}

const TICKERS: [&str; 2] = ["A", "B"];

/// A folder with a ledger, and a configuration for it.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("mantis-launch-").tempdir().unwrap();
        tiny_ledger(&dir.path().join("a.db"), &TICKERS, 20);
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A launcher that is this script; `$1` and so on are the worker's command, `$first` is set for the first start.
    fn script(&self, text: &str) -> String {
        let (path, marker) = (self.path("launch"), self.path("marker"));
        let head = "first=; mkdir \"$0.begun\" 2>/dev/null && first=yes\n";
        fs::write(&path, format!("{head}{text}\nexec \"$@\"\n")).unwrap();
        let _ = (fs::remove_dir(self.path("launch.begun")), fs::remove_file(marker));
        format!("\"/bin/sh\", {path:?}")
    }

    /// What is scored with this launcher, and said; the challenges are of the plugin that fails as it is told to.
    fn score(&self, launcher: Option<&str>, more: &str, how: &str) -> (Value, String) {
        let mut text = format!("plugin_dir = \"{}\"\n", bin_dir().display());
        if let Some(launcher) = launcher {
            let shared = self.path("shared");
            text +=
                &format!("[scoring]\nlauncher = [{launcher}]\nscratch = \"{}\"\n{more}\n", shared.display());
        }
        for (ticker, how) in TICKERS.into_iter().zip([how, "none"]) {
            text += &format!(
                "[[challenge]]\nname = \"{ticker}\"\nticker = \"{ticker}\"\nplugin = \"hostile\"\ndim = 2\nblocks_ahead = 10\n\
                 weight = 1.0\n[challenge.params]\nhow = \"{how}\"\n"
            );
        }
        let config = self.path("challenges.toml");
        fs::write(&config, text).unwrap();
        let mut command = mantis();
        command.args(["score", "--json", "--deadline", "6", "--threads", "1", "--config"]).arg(config);
        command.env("MANTIS_TEST_CANARY", "canary-7151").env("SEEN", "by the launcher");
        let output = command.arg("--ledger").arg(self.path("a.db")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        (timeless(serde_json::from_slice(&output.stdout).unwrap()), said)
    }
}

fn a_prefix_changes_nothing_and_workers_get_none_of_its_environment() {
    let place = Place::new();
    let (direct, _) = place.score(None, "", "none");
    let (prefixed, said) = place.score(Some("\"nice\", \"-n\", \"5\""), "", "none");
    assert_eq!(direct, prefixed);
    assert_eq!(said, "");
    // What the launcher sees, and what the worker does.
    let seen = place.path("seen");
    let launcher = place.script(&format!("/usr/bin/env > {}", seen.display()));
    let (pried, said) = place.score(Some(&launcher), "env = [\"SEEN\"]", "pry");
    assert!(pried["per_challenge"]["A"].is_object(), "{pried:#}{said}");
    let launchers = fs::read_to_string(seen).unwrap();
    assert!(launchers.contains("SEEN=by the launcher") && launchers.contains("PATH="), "{launchers}");
    assert!(!launchers.contains("canary"), "{launchers}");
    let said: Vec<&str> = said.lines().filter(|line| line.contains("environment ")).collect();
    let known = ["MALLOC_ARENA_MAX", "XDG_CACHE_HOME"];
    assert!(
        said.len() == 2 && said.iter().all(|line| known.iter().any(|name| line.contains(name))),
        "{said:?}"
    );
}

fn an_attempt_that_failed_is_made_again() {
    let place = Place::new();
    let (sound, _) = place.score(None, "", "none");
    let snapshots = place.path("shared");
    let cut = format!(
        "for f in {}/histories/*/A/snapshot.sums; do\n\
         if [ $first ]; then cp $f $f.kept; echo > $f; elif [ -f $f.kept ]; then mv $f.kept $f; fi; done",
        snapshots.display()
    );
    for (script, says) in [
        // All is well, says the engine; there was no last word.
        ("[ $first ] && exit 0", "ended early (exit status: 0"),
        ("[ $first ] && exit 143", "ended early"),
        ("[ $first ] && { echo Node failure >&2; exit 1; }", "Node failure"),
        // Its machine is gone, and the launcher has not noticed.
        ("[ $first ] && { printf '\\036{\"event\":\"here\"}\\n'; exec sleep 600; }", "said nothing for 1 s"),
        // Nobody gives it room.
        ("[ $first ] && exec sleep 600", "no worker began within 2 s"),
        // The last word of somebody else's job, and no score.
        (
            "[ $first ] && { printf '\\036{\"event\":\"end\",\"peak_rss_kib\":1}\\n'; exec sleep 600; }",
            "ended early",
        ),
        // What another machine sees of the shared folder is not whole yet.
        (&cut, "snapshot.sums"),
    ] {
        let launcher = place.script(script);
        let since = Instant::now();
        let (document, said) =
            place.score(Some(&launcher), "silence = 1\nqueue = 2\nfallback = false\n", "none");
        assert_eq!(document, sound, "{script}: {said}");
        assert!(
            said.contains("attempt 1 of the batch engine failed") && said.contains(says),
            "{script}: {said}"
        );
        assert!(!said.contains("attempt 2"), "{script}: {said}");
        assert!(since.elapsed() < Duration::from_secs(30), "{script}: {:?}", since.elapsed());
    }
}

fn an_engine_that_is_not_there_costs_time_only() {
    let place = Place::new();
    let (sound, _) = place.score(None, "", "none");
    let (document, said) = place.score(Some("\"/no/such/srun\""), "attempts = 2\n", "none");
    assert_eq!(document, sound, "{said}");
    assert!(said.contains("cannot start a worker process of /no/such/srun"), "{said}");
    assert!(said.contains("it is scored on this machine"), "{said}");
    let (document, _) = place.score(Some("\"/no/such/srun\""), "attempts = 1\nfallback = false\n", "none");
    assert!(document["per_challenge"].as_object().unwrap().is_empty(), "{document:#}");
    let why = document["skipped"]["B"].as_str().unwrap();
    assert!(why.contains("/no/such/srun"), "{why}");
}

fn a_fault_of_the_plugins_own_is_not_tried_again() {
    let place = Place::new();
    let launcher = place.script("echo x >> \"$0.starts\"");
    for (how, says, starts) in [
        ("error", "told to fail", 2),
        ("nan", "broke its contract", 2),
        ("sleep", "did not finish within 6 s", 2),
    ] {
        let (document, said) = place.score(Some(&launcher), "", how);
        let why = document["skipped"]["A"].as_str().unwrap_or_else(|| panic!("{how}: {document:#}{said}"));
        assert!(why.contains(says), "{how}: {why}");
        assert!(document["per_challenge"]["B"].is_object(), "{document:#}");
        let log = place.path("launch.starts");
        assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), starts, "{how}: {said}");
        fs::remove_file(log).unwrap();
    }
}

fn a_folder_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let shared = place.path("shared");
    fs::create_dir(&shared).unwrap();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    open(&shared);
    let (document, said) = place.score(Some("\"env\""), "", "none");
    assert!(said.contains("others may write to it") && said.contains("scored on this machine"), "{said}");
    assert!(document["per_challenge"]["A"].is_object(), "{document:#}");
    let (document, _) = place.score(Some("\"env\""), "fallback = false\n", "none");
    assert!(document["skipped"]["A"].as_str().unwrap().contains("others may write to it"), "{document:#}");
}
