//! Saliences against the results of the network's own scorer, and of both runtimes against each other.
//!
//! The reference ledgers are made by the network's ledger generator, which lies beside the project on the machines
//! that develop it (`../shared/reference`). Elsewhere these tests say that they are skipped; `score.rs` then still
//! holds the plugins to kept results on simulated ledgers.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_tests::{has_wasm, json, l1, mantis, root, timeless};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// Largest L1 distance between salience vectors, exact and network.
const BARS: &[(&str, f64, f64)] = &[
    ("binary", 1e-4, 0.03),
    ("edge-binary", 1e-4, 0.03),
    ("hitfirst", 1e-4, 1e-3),
    ("edge-hitfirst", 1e-4, 1e-3),
    ("breakout", 1e-4, 1e-3),
    ("edge-breakout", 1e-4, 1e-3),
    ("lbfgs", 1e-4, 0.005),
    ("edge-lbfgs", 1e-4, 0.005),
    ("xsec", 1e-4, 1e-3),
    ("edge-xsec", 1e-4, 1e-3),
    ("funding", 1e-4, 1e-3),
    ("edge-funding", 1e-4, 1e-3),
    ("trademix", 1e-4, 1e-3),
    ("edge-trademix", 1e-4, 1e-3),
];

#[test]
fn binary() {
    check("binary");
}

#[test]
fn edge_binary() {
    check("edge-binary");
}

#[test]
fn hitfirst() {
    check("hitfirst");
}

#[test]
fn edge_hitfirst() {
    check("edge-hitfirst");
}

#[test]
fn breakout() {
    check("breakout");
}

#[test]
fn edge_breakout() {
    check("edge-breakout");
}

#[test]
fn lbfgs() {
    check("lbfgs");
}

#[test]
fn edge_lbfgs() {
    check("edge-lbfgs");
}

#[test]
fn xsec() {
    check("xsec");
}

#[test]
fn edge_xsec() {
    check("edge-xsec");
}

#[test]
fn funding() {
    check("funding");
}

#[test]
fn edge_funding() {
    check("edge-funding");
}

#[test]
fn trademix() {
    check("trademix");
}

#[test]
fn edge_trademix() {
    check("edge-trademix");
}

fn check(name: &str) {
    let reference = root().join("../shared/reference");
    let Ok(golden) = fs::read(reference.join("golden").join(format!("{name}.json"))) else {
        println!("skipped: no reference data in {}", reference.display());
        return;
    };
    let golden: Value = serde_json::from_slice(&golden).unwrap();
    let ledger = ledger(&reference, name, golden["make"].as_str().unwrap());
    let (_, exact, network) = BARS.iter().find(|(bar, ..)| *bar == name).unwrap();
    for (mode, bar) in [("exact", exact), ("network", network)] {
        let tickers: Vec<&str> = golden[mode].as_object().unwrap().keys().map(String::as_str).collect();
        let score = |runtime: &str| {
            let mut command = mantis();
            command
                .args(["score", "--json", "--solver", mode, "--runtime", runtime, "--ledger"])
                .arg(&ledger);
            json(command.args(["--only", &tickers.join(",")]))
        };
        let document = score("native");
        if has_wasm() {
            assert_eq!(timeless(document.clone()), timeless(score("wasm")), "{name} {mode}");
        }
        for &ticker in &tickers {
            let expected = &golden[mode][ticker];
            assert!(expected.as_object().is_some_and(|hotkeys| !hotkeys.is_empty()));
            let distance = l1(&document["per_challenge"][ticker], expected);
            println!("{name} {mode} {ticker}: L1 {distance:.2e}, bar {bar:.0e}");
            assert!(distance <= *bar, "{name} {mode} {ticker}: {distance}, {:#}", document["skipped"]);
        }
    }
}

/// Makes the ledger, once; it is kept beside the build.
fn ledger(reference: &Path, name: &str, make: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    fs::create_dir_all(&dir).unwrap();
    let ledger = dir.join(format!("{name}.db"));
    if !ledger.exists() {
        let part = dir.join(format!("{name}.part"));
        let args = make.strip_prefix("make_datalog.py OUT.db").expect("a known command").split_whitespace();
        let mut command = Command::new(python(&dir));
        run(command.arg(reference.join("make_datalog.py")).arg(&part).args(args));
        fs::rename(part, &ledger).unwrap();
    }
    ledger
}

/// A Python with the generator's NumPy.
fn python(dir: &Path) -> PathBuf {
    static MADE: Once = Once::new();
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    MADE.call_once(|| {
        let ready =
            Command::new(&python).args(["-c", "import numpy"]).status().is_ok_and(|status| status.success());
        if !ready {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "numpy==2.2.6"]));
        }
    });
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
