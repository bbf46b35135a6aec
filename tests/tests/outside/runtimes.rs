//! The same bits from shared libraries and from WebAssembly components.

use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{json, mantis, stdout, timeless, trial};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(all_challenges_score_to_the_same_bits).needs(Need::Wasm).takes(80),
        trial!(small_ledgers_score_to_the_same_bits).needs(Need::Wasm).takes(25),
        trial!(digests_are_of_the_form_that_runs).needs(Need::Wasm),
    ]
}

fn simulate(ledger: &Path, rows: u32, miners: u32, seed: u32) {
    let mut command = mantis();
    let numbers = [rows, miners, seed].map(|x| x.to_string());
    command.args([
        "simulate",
        "--rows",
        &numbers[0],
        "--miners",
        &numbers[1],
        "--seed",
        &numbers[2],
        "--out",
    ]);
    stdout(command.arg(ledger));
}

fn score(ledger: &Path, args: &[&str]) -> Value {
    timeless(json(mantis().args(["score", "--json"]).args(args).arg("--ledger").arg(ledger)))
}

/// Every byte of the result, from both runtimes, in both modes, with one thread and two.
fn check(ledger: &Path) -> Value {
    let mut native = Value::Null;
    for solver in ["exact", "network"] {
        native = score(ledger, &["--solver", solver, "--runtime", "native"]);
        for threads in ["1", "2"] {
            let wasm = score(ledger, &["--solver", solver, "--runtime", "wasm", "--threads", threads]);
            assert_eq!(native, wasm, "{solver}, {threads} threads");
        }
    }
    native
}

fn all_challenges_score_to_the_same_bits() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("month.db");
    simulate(&ledger, 44_500, 6, 5);
    let document = check(&ledger);
    assert_eq!(document["per_challenge"].as_object().unwrap().len(), 12, "{:#}", document["skipped"]);
    assert_eq!(
        document["skipped"],
        serde_json::json!({}),
        "every challenge must pay somebody to be compared"
    );
}

fn small_ledgers_score_to_the_same_bits() {
    let dir = TempDir::new().unwrap();
    let mut paid = 0;
    for (seed, rows, miners) in
        [(1, 1, 1), (2, 130, 3), (3, 1500, 2), (4, 7300, 5), (5, 9000, 9), (6, 12_345, 4)]
    {
        let ledger = dir.path().join(format!("{seed}.db"));
        simulate(&ledger, rows, miners, seed);
        let document = check(&ledger);
        paid += 12 - document["skipped"].as_object().unwrap().len();
    }
    assert!(paid >= 12, "only {paid} scores pay anybody: nothing was compared");
}

fn digests_are_of_the_form_that_runs() {
    let dir = TempDir::new().unwrap();
    let text = |runtime: &str| {
        format!(
            "[[challenge]]\nname = \"ETH\"\nticker = \"ETH\"\nplugin = \"binary\"\nruntime = \"{runtime}\"\ndim = 2\n\
             blocks_ahead = 300\nweight = 1.0\n"
        )
    };
    let digest = |runtime: &str| {
        let config = dir.path().join(format!("{runtime}.toml"));
        std::fs::write(&config, text(runtime)).unwrap();
        let listed = json(mantis().args(["challenges", "--json", "--config"]).arg(config));
        let row = listed["challenges"][0].clone();
        assert_eq!((&row["runtime"], &row["version"]), (&json!(runtime), &json!("0.1.0")), "{row:#}");
        row["sha256"].as_str().unwrap().to_owned()
    };
    let file = mantis_tests::bin_dir().join("mantis_binary.wasm");
    assert_eq!(digest("wasm"), mantis_scoring::plugins::digest(&file).unwrap());
    assert_ne!(digest("wasm"), digest("native"));
}
