//! `mantis score` on simulated ledgers: the same bits however it runs, and kept results.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_tests::{bin_dir, json, l1, mantis, root, stdout, timeless};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const ROWS: &str = "16000";
const MINERS: &str = "12";
const TICKERS: &str = "ETH,CADUSD,ETHHITFIRST";

/// A simulated ledger, made once per test run.
fn ledger() -> &'static Path {
    static LEDGER: OnceLock<PathBuf> = OnceLock::new();
    LEDGER.get_or_init(|| {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("simulated-{}.db", std::process::id()));
        let _ = fs::remove_file(&path);
        let mut command = mantis();
        command.args([
            "simulate", "--rows", ROWS, "--miners", MINERS, "--only", TICKERS, "--seed", "3", "--out",
        ]);
        stdout(command.arg(&path));
        path
    })
}

fn score(args: &[&str]) -> Value {
    let mut command = mantis();
    json(command.args(["score", "--json", "--only", TICKERS, "--ledger"]).arg(ledger()).args(args))
}

#[test]
fn threads_and_repetition_change_no_byte() {
    let text = |args: &[&str]| serde_json::to_string_pretty(&timeless(score(args))).unwrap();
    for solver in ["exact", "network"] {
        let once = text(&["--solver", solver, "--threads", "1"]);
        assert!(once.contains("per_challenge"));
        assert_eq!(once, text(&["--solver", solver, "--threads", "2"]));
        assert_eq!(once, text(&["--solver", solver, "--threads", "2"]));
    }
}

#[test]
fn results_are_the_kept_ones() {
    let kept = root().join("tests/fixtures/simulated.json");
    for solver in ["exact", "network"] {
        let document = score(&["--solver", solver]);
        assert_eq!(document["skipped"], serde_json::json!({}), "{document:#}");
        if std::env::var_os("UPDATE_KEPT").is_some() {
            let mut all: Value =
                fs::read(&kept).map_or(serde_json::json!({}), |t| serde_json::from_slice(&t).unwrap());
            all[solver] = document["per_challenge"].clone();
            fs::write(&kept, serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
        }
        let all: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
        for (ticker, expected) in all[solver].as_object().unwrap() {
            let distance = l1(&document["per_challenge"][ticker], expected);
            assert!(distance < 1e-9, "{solver} {ticker}: {distance}");
        }
        assert_eq!(all[solver].as_object().unwrap().len(), 3);
    }
}

#[test]
fn nothing_after_the_newest_block_counts_but_as_a_label() {
    let block = 5 * (1_000_000 + 15_000);
    let cut = |path: &Path| {
        let mut command = mantis();
        command.args(["score", "--json", "--only", TICKERS, "--max-block", &block.to_string(), "--ledger"]);
        timeless(json(command.arg(path)))
    };
    let whole = cut(ledger());
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cut-{}.db", std::process::id()));
    stdout(std::process::Command::new("cp").arg(ledger()).arg(&copy));
    let connection = rusqlite::Connection::open(&copy).unwrap();
    let first: i64 =
        connection.query_row("SELECT min(sidx) FROM challenge_data", [], |row| row.get(0)).unwrap();
    assert!(first <= 1_000_000, "the ledger starts at {first}");
    // All that miners sent later is gone, and all prices beyond one horizon later.
    connection.execute("UPDATE challenge_data SET embeddings = x'' WHERE sidx * 5 > ?1", [block]).unwrap();
    connection.execute("UPDATE challenge_data SET price = 1.0 WHERE sidx > ?1 / 5 + 60", [block]).unwrap();
    drop(connection);
    assert_eq!(whole, cut(&copy));
    fs::remove_file(copy).unwrap();
}

#[test]
fn missing_plugins_are_said_and_skipped() {
    let mut command = mantis();
    let text = "[[challenge]]\nname = \"A\"\nticker = \"A\"\nplugin = \"no-such\"\ndim = 2\nblocks_ahead = 300\n\
                weight = 1.0\n";
    let dir = tempfile::TempDir::new().unwrap();
    fs::write(dir.path().join("c.toml"), text).unwrap();
    let document = json(
        command
            .args(["score", "--json", "--ledger"])
            .arg(ledger())
            .arg("--config")
            .arg(dir.path().join("c.toml")),
    );
    let reason = document["skipped"]["A"].as_str().unwrap();
    assert!(reason.contains("no plugin `no-such`"), "{reason}");
    assert!(reason.contains(&bin_dir().display().to_string()), "{reason}");
}
