//! Saliences against the results of the network's own scorer, and of both runtimes against each other.
//!
//! The reference ledgers are made by the network's ledger generator, which lies beside the project on the machines that
//! develop it. Elsewhere these tests are ignored; `score.rs` then still holds the plugins to kept results on simulated
//! ledgers.

use mantis_tests::need::{Need, reference};
use mantis_tests::suite::Trial;
use mantis_tests::{json, l1, mantis, note, root, timeless};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One test of each ledger by native plugins, and one by WebAssembly components.
pub(crate) fn tests() -> Vec<Trial> {
    let trial = |case: &'static Case, form: &str, check: fn(&Case)| {
        let name = format!("{}_{form}", case.label().replace('-', "_"));
        Trial::new(module_path!(), &name, move || check(case)).needs(Need::Reference)
    };
    let native = CASES.iter().map(|case| trial(case, "native", Case::equals_the_network).takes(12));
    let wasm = CASES.iter().map(|case| trial(case, "wasm", Case::equals_native).needs(Need::Wasm).takes(8));
    native.chain(wasm).collect()
}

/// The network at a date: the folder of its results, and the configuration that follows it.
#[derive(Clone, Copy)]
struct Network {
    folder: &'static str,
    config: &'static str,
}

const MAY: Network = Network { folder: "golden", config: "challenges.toml" };
const JULY: Network = Network { folder: "golden-2026-07", config: "profiles/2026-07.toml" };
const SEPTEMBER: Network = Network { folder: "golden-2026-09", config: "profiles/2026-09.toml" };

/// Largest L1 distances where fits stop as the network's do.
const CLOSE: f64 = 1e-3;
const BINARY: f64 = 3e-3;
const LBFGS: f64 = 1e-4;
const EVIDENCE: f64 = 1e-6;
const FLOW: f64 = 1e-9;

static CASES: [Case; 43] = [
    Case::new(MAY, "binary", BINARY),
    Case::new(MAY, "edge-binary", BINARY),
    Case::new(MAY, "hitfirst", CLOSE),
    Case::new(MAY, "edge-hitfirst", CLOSE),
    Case::new(MAY, "breakout", CLOSE),
    Case::new(MAY, "edge-breakout", CLOSE),
    Case::new(MAY, "lbfgs", LBFGS),
    Case::new(MAY, "edge-lbfgs", LBFGS),
    Case::new(MAY, "xsec", CLOSE),
    Case::new(MAY, "edge-xsec", CLOSE),
    Case::new(MAY, "funding", CLOSE),
    Case::new(MAY, "edge-funding", CLOSE),
    Case::new(MAY, "trademix", CLOSE),
    Case::new(MAY, "edge-trademix", CLOSE),
    Case::new(JULY, "binary", BINARY),
    Case::new(JULY, "edge-binary", BINARY),
    Case::new(JULY, "kin-binary", BINARY),
    Case::new(JULY, "hitfirst", CLOSE),
    Case::new(JULY, "edge-hitfirst", CLOSE),
    Case::new(JULY, "kin-hitfirst", CLOSE),
    Case::new(JULY, "lbfgs", LBFGS),
    Case::new(JULY, "edge-lbfgs", LBFGS),
    Case::new(JULY, "kin-lbfgs", LBFGS),
    Case::new(JULY, "breakout", CLOSE),
    Case::new(JULY, "edge-breakout", CLOSE),
    Case::new(JULY, "xsec", CLOSE),
    Case::new(JULY, "edge-funding", CLOSE),
    Case::new(JULY, "trademix", EVIDENCE),
    Case::new(JULY, "edge-trademix", EVIDENCE),
    Case::new(JULY, "burn-trademix", EVIDENCE),
    Case::new(JULY, "dense-trademix", EVIDENCE),
    Case::new(JULY, "probation-trademix", EVIDENCE),
    Case::new(SEPTEMBER, "flow", FLOW),
    Case::new(SEPTEMBER, "flow-closes", FLOW),
    Case::new(SEPTEMBER, "flow-dense", FLOW),
    Case::new(SEPTEMBER, "flow-fonly", FLOW),
    Case::new(SEPTEMBER, "flow-gate", FLOW),
    Case::new(SEPTEMBER, "flow-gate-fonly", FLOW),
    Case::new(SEPTEMBER, "flow-outage", FLOW),
    Case::new(SEPTEMBER, "flow-static", FLOW),
    Case::new(SEPTEMBER, "flow-touch", FLOW),
    Case::new(SEPTEMBER, "flow-warmup", FLOW),
    Case::new(SEPTEMBER, "flow-young", FLOW),
];

/// Largest L1 distance between salience vectors where every model is solved to its optimum.
const EXACT: f64 = 1e-4;
const MODES: [&str; 2] = ["exact", "network"];
/// What nobody earns, among the saliences of the network's results.
const BURN: &str = "__burn__";

/// A reference ledger. What both of its tests need is made by the one that comes first.
struct Case {
    at: Network,
    name: &'static str,
    /// Largest L1 distance between salience vectors where fits stop as the network's do.
    network: f64,
    golden: OnceLock<Value>,
    ledger: OnceLock<PathBuf>,
    /// What native plugins make of it, in each mode.
    native: [OnceLock<Value>; 2],
}

impl Case {
    const fn new(at: Network, name: &'static str, network: f64) -> Self {
        let native = [OnceLock::new(), OnceLock::new()];
        Self { at, name, network, golden: OnceLock::new(), ledger: OnceLock::new(), native }
    }

    /// Its name beside those of other dates.
    fn label(&self) -> String {
        match self.at.folder.strip_prefix("golden-") {
            Some(date) => format!("{date}-{}", self.name),
            None => self.name.to_owned(),
        }
    }

    fn equals_the_network(&self) {
        for mode in self.modes() {
            let bar = if mode == "exact" { EXACT } else { self.network };
            let document = self.native(mode);
            for ticker in self.tickers(mode) {
                let expected = &self.golden()[mode][ticker];
                assert!(expected.as_object().is_some_and(|hotkeys| !hotkeys.is_empty()));
                let mut found = document["per_challenge"][ticker].clone();
                if let Some(burn) = document["burn"].get(ticker) {
                    found[BURN] = burn.clone();
                }
                let distance = l1(&found, expected);
                note!("{} {mode} {ticker}: L1 {distance:.2e}, bar {bar:.0e}", self.label());
                assert!(distance <= bar, "{mode} {ticker}: {distance}, {:#}", document["skipped"]);
            }
        }
    }

    fn equals_native(&self) {
        for mode in self.modes() {
            assert_eq!(*self.native(mode), self.score(mode, "wasm"), "{mode}");
        }
    }

    fn golden(&self) -> &Value {
        self.golden.get_or_init(|| {
            let text = fs::read(reference().join(format!("{}/{}.json", self.at.folder, self.name))).unwrap();
            serde_json::from_slice(&text).unwrap()
        })
    }

    /// Where nothing is fitted there is one result.
    fn modes(&self) -> impl Iterator<Item = &'static str> {
        MODES.into_iter().filter(|mode| self.golden().get(mode).is_some())
    }

    fn tickers(&self, mode: &str) -> Vec<&str> {
        self.golden()[mode].as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn native(&self, mode: &str) -> &Value {
        let place = MODES.iter().position(|other| *other == mode).unwrap();
        self.native[place].get_or_init(|| self.score(mode, "native"))
    }

    fn score(&self, mode: &str, runtime: &str) -> Value {
        let ledger = self.ledger();
        let mut command = mantis();
        command.args(["score", "--json", "--solver", mode, "--runtime", runtime]);
        command.args(["--only", &self.tickers(mode).join(",")]).arg("--ledger").arg(ledger);
        if self.at.folder == SEPTEMBER.folder {
            let folder = ledger.parent().unwrap();
            command.arg("--config").arg(self.config_of_flow(folder));
            command.arg("--facts").arg(folder.join("collateral.json"));
        } else {
            command.arg("--config").arg(root().join(self.at.config));
        }
        timeless(json(&mut command))
    }

    /// The profile with the parameters of a result; it is kept beside the ledger.
    fn config_of_flow(&self, folder: &Path) -> PathBuf {
        let params = &self.golden()["params"];
        let (gate, skin) = (params["gate"] == "on", params["skin"].as_str().unwrap());
        let mut text = fs::read_to_string(root().join(self.at.config)).unwrap();
        let mut replace = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        };
        replace("gate = false", &format!("gate = {gate}"));
        replace("skin = \"bets\"", &format!("skin = \"{skin}\""));
        if skin == "static" {
            replace("name = \"bets\"", "name = \"static\"");
            replace("facts = [\"bets\"]", "facts = [\"static\"]");
        }
        let config = folder.join("challenges.toml");
        fs::write(&config, text).unwrap();
        config
    }

    /// The ledger; it is kept beside the build.
    fn ledger(&self) -> &Path {
        self.ledger.get_or_init(|| {
            let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
            fs::create_dir_all(&dir).unwrap();
            let make = self.golden()["make"].as_str().unwrap();
            let (program, args) = make.split_once(' ').expect("a known command");
            // The one makes a file, the other a folder of them.
            let is_file = program == "make_datalog.py";
            let place = dir.join(if is_file { format!("{}.db", self.label()) } else { self.label() });
            if !place.exists() {
                let part = place.with_extension("part");
                let out = part.to_str().unwrap();
                if !is_file {
                    fs::create_dir_all(&part).unwrap();
                }
                let (first, args) = args.split_once(' ').expect("where to, and how");
                let first = first.replace(if is_file { "OUT.db" } else { "OUT" }, out);
                let mut command = Command::new(python(&dir));
                run(command.arg(reference().join(program)).arg(first).args(args.split_whitespace()));
                fs::rename(&part, &place).unwrap();
            }
            if is_file { place } else { place.join("mantis_datalog.db") }
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
