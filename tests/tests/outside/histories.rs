//! Histories that are kept beside a ledger: they save time, and change nothing.

use mantis_tests::suite::Trial;
use mantis_tests::{json, mantis, root, stdout, timeless, tiny_ledger, trial};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(damage_is_said_and_made_good).takes(8),
        trial!(where_none_can_be_kept_all_is_read),
        trial!(killed_at_any_instant_it_changes_nothing).takes(20),
    ]
}

const TICKERS: &str = "ETH,ETHLBFGS,MULTIXSEC";

/// A simulated ledger of so many rows.
fn simulated(dir: &Path, rows: u32) -> PathBuf {
    let ledger = dir.join("ledger.db");
    let mut command = mantis();
    command.args(["simulate", "--rows", &rows.to_string(), "--miners", "8", "--only", TICKERS, "--out"]);
    stdout(command.arg(&ledger));
    ledger
}

fn score(ledger: &Path, options: &[&str]) -> Command {
    let mut command = mantis();
    command.args(["score", "--json", "--only", TICKERS, "--ledger"]).arg(ledger).args(options);
    command
}

/// What is scored, and what is said beside it.
fn scored(ledger: &Path, options: &[&str]) -> (Value, String) {
    let output = score(ledger, options).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (timeless(serde_json::from_slice(&output.stdout).unwrap()), said)
}

fn folder(ledger: &Path) -> PathBuf {
    ledger.with_added_extension("history")
}

fn damage_is_said_and_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = simulated(dir.path(), 5000);
    let (expected, said) = scored(&ledger, &["--no-cache"]);
    assert_eq!(said, "");
    assert!(!folder(&ledger).exists());
    assert_eq!(scored(&ledger, &[]), (expected.clone(), String::new()));
    assert_eq!(scored(&ledger, &[]), (expected.clone(), String::new()));
    // The first part of one, which is not read again; the market of another; what is written of a third.
    for (ticker, kind) in [("ETHLBFGS", "part-"), ("ETH", "market-"), ("MULTIXSEC", "kept.json")] {
        let files = fs::read_dir(folder(&ledger).join(ticker)).unwrap().map(|entry| entry.unwrap().path());
        let is_of_it = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(kind);
        let path = files.filter(is_of_it).min().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(&path, bytes).unwrap();
        let (found, said) = scored(&ledger, &[]);
        assert_eq!(found, expected, "{ticker}");
        assert!(said.contains(ticker) && said.contains("the kept history is made again"), "{ticker}: {said}");
        assert_eq!(scored(&ledger, &[]), (expected.clone(), String::new()));
    }
    // It may be removed.
    fs::remove_dir_all(folder(&ledger)).unwrap();
    assert_eq!(scored(&ledger, &[]).0, expected);
    // Another ledger in the place of the first.
    fs::remove_file(&ledger).unwrap();
    simulated(dir.path(), 4000);
    let (found, said) = scored(&ledger, &[]);
    assert_eq!(found, scored(&ledger, &["--no-cache"]).0);
    assert_ne!(found, expected);
    assert_eq!(said, "");
}

fn where_none_can_be_kept_all_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["ETH"], 30);
    let score = || {
        let mut command = mantis();
        command.args(["score", "--json", "--only", "ETH", "--ledger"]).arg(&ledger);
        command.arg("--config").arg(root().join("challenges.toml")).output().unwrap()
    };
    let sound = score();
    assert!(sound.status.success());
    fs::remove_dir_all(folder(&ledger)).unwrap();
    fs::write(folder(&ledger), "in the way").unwrap();
    let output = score();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("ETH: no history is kept: "), "{said}");
    let document = |bytes: &[u8]| timeless(serde_json::from_slice(bytes).unwrap());
    assert_eq!(document(&output.stdout), document(&sound.stdout));
}

fn killed_at_any_instant_it_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = simulated(dir.path(), 3000);
    let expected = timeless(json(&mut score(&ledger, &["--no-cache"])));
    let last = mantis_ledger::Ledger::read(&ledger).unwrap().last_block().unwrap().unwrap().0;
    let kills = std::env::var("MANTIS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let _ = fs::remove_dir_all(folder(&ledger));
        if kill % 2 == 0 {
            // One that is begun, and then goes on.
            let to = last - 5 * i64::try_from(random >> 54).unwrap();
            json(&mut score(&ledger, &["--max-block", &to.to_string()]));
        }
        let mut child = score(&ledger, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros((random >> 16) % 400_000));
        let _ = child.kill();
        child.wait().unwrap();
        assert_eq!(timeless(json(&mut score(&ledger, &[]))), expected, "after kill {kill}");
    }
}
