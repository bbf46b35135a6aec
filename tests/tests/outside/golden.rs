//! Saliences against the results of the network's own scorer, and of both runtimes against each other.
//!
//! The reference ledgers are made by the network's ledger generator, which lies beside the project on the machines that
//! develop it. Elsewhere these tests are ignored; `score.rs` then still holds the plugins to kept results on simulated
//! ledgers.

use mantis_tests::need::{Need, reference};
use mantis_tests::suite::Trial;
use mantis_tests::{json, l1, mantis, note, timeless};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One test of each ledger by native plugins, and one by WebAssembly components.
pub(crate) fn tests() -> Vec<Trial> {
    let trial = |case: &'static Case, form: &str, check: fn(&Case)| {
        let name = format!("{}_{form}", case.name.replace('-', "_"));
        Trial::new(module_path!(), &name, move || check(case)).needs(Need::Reference)
    };
    let native = CASES.iter().map(|case| trial(case, "native", Case::equals_the_network).takes(12));
    let wasm = CASES.iter().map(|case| trial(case, "wasm", Case::equals_native).needs(Need::Wasm).takes(8));
    native.chain(wasm).collect()
}

static CASES: [Case; 14] = [
    Case::new("binary", 0.03),
    Case::new("edge-binary", 0.03),
    Case::new("hitfirst", 1e-3),
    Case::new("edge-hitfirst", 1e-3),
    Case::new("breakout", 1e-3),
    Case::new("edge-breakout", 1e-3),
    Case::new("lbfgs", 0.005),
    Case::new("edge-lbfgs", 0.005),
    Case::new("xsec", 1e-3),
    Case::new("edge-xsec", 1e-3),
    Case::new("funding", 1e-3),
    Case::new("edge-funding", 1e-3),
    Case::new("trademix", 1e-3),
    Case::new("edge-trademix", 1e-3),
];

/// Largest L1 distance between salience vectors where every model is solved to its optimum.
const EXACT: f64 = 1e-4;
const MODES: [&str; 2] = ["exact", "network"];

/// A reference ledger. What both of its tests need is made by the one that comes first.
struct Case {
    name: &'static str,
    /// Largest L1 distance between salience vectors where fits stop as the network's do.
    network: f64,
    golden: OnceLock<Value>,
    ledger: OnceLock<PathBuf>,
    /// What native plugins make of it, in each mode.
    native: [OnceLock<Value>; 2],
}

impl Case {
    const fn new(name: &'static str, network: f64) -> Self {
        let native = [OnceLock::new(), OnceLock::new()];
        Self { name, network, golden: OnceLock::new(), ledger: OnceLock::new(), native }
    }

    fn equals_the_network(&self) {
        for (mode, bar) in MODES.into_iter().zip([EXACT, self.network]) {
            let document = self.native(mode);
            for ticker in self.tickers(mode) {
                let expected = &self.golden()[mode][ticker];
                assert!(expected.as_object().is_some_and(|hotkeys| !hotkeys.is_empty()));
                let distance = l1(&document["per_challenge"][ticker], expected);
                note!("{} {mode} {ticker}: L1 {distance:.2e}, bar {bar:.0e}", self.name);
                assert!(distance <= bar, "{mode} {ticker}: {distance}, {:#}", document["skipped"]);
            }
        }
    }

    fn equals_native(&self) {
        for mode in MODES {
            assert_eq!(*self.native(mode), self.score(mode, "wasm"), "{mode}");
        }
    }

    fn golden(&self) -> &Value {
        self.golden.get_or_init(|| {
            let text = fs::read(reference().join(format!("golden/{}.json", self.name))).unwrap();
            serde_json::from_slice(&text).unwrap()
        })
    }

    fn tickers(&self, mode: &str) -> Vec<&str> {
        self.golden()[mode].as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn native(&self, mode: &str) -> &Value {
        let place = MODES.iter().position(|other| *other == mode).unwrap();
        self.native[place].get_or_init(|| self.score(mode, "native"))
    }

    fn score(&self, mode: &str, runtime: &str) -> Value {
        let mut command = mantis();
        command.args(["score", "--json", "--solver", mode, "--runtime", runtime]);
        command.args(["--only", &self.tickers(mode).join(",")]).arg("--ledger").arg(self.ledger());
        timeless(json(&mut command))
    }

    /// The ledger; it is kept beside the build.
    fn ledger(&self) -> &Path {
        self.ledger.get_or_init(|| {
            let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
            fs::create_dir_all(&dir).unwrap();
            let ledger = dir.join(format!("{}.db", self.name));
            if !ledger.exists() {
                let part = ledger.with_extension("part");
                let make = self.golden()["make"].as_str().unwrap();
                let args = make.strip_prefix("make_datalog.py OUT.db").expect("a known command");
                let mut command = Command::new(python(&dir));
                command.arg(reference().join("make_datalog.py")).arg(&part);
                run(command.args(args.split_whitespace()));
                fs::rename(part, &ledger).unwrap();
            }
            ledger
        })
    }
}

/// A Python with the generator's NumPy.
fn python(dir: &Path) -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let venv = dir.join("venv");
        let python = venv.join("bin/python");
        let ready = Command::new(&python).args(["-c", "import numpy"]).status();
        if !ready.is_ok_and(|status| status.success()) {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "numpy==2.2.6"]));
        }
        python
    })
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
