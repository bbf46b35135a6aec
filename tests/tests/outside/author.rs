//! The author's way: a new plugin is made, built, looked into, tried out and scored; what is wrong with one is found.

use mantis_tests::need::{Need, has_wasm};
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, failure, json, mantis, note, root, stdout, trial};
use serde_json::Value;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The tests of this file, one of conformance for each of the project's own plugins.
pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = vec![
        trial!(from_nothing_to_a_scored_library).takes(50),
        trial!(from_nothing_to_a_scored_component).needs(Need::Wasm).takes(60),
        trial!(what_breaks_the_contract_is_found).takes(30),
        trial!(a_ledger_takes_the_place_of_simulated_miners).takes(10),
        trial!(inspect_says_why_a_file_is_refused),
        trial!(what_cannot_be_built_says_what_is_missing),
        trial!(the_example_in_python_conforms).needs(Need::ComponentizePy).takes(30),
    ];
    for name in ["binary", "hitfirst", "lbfgs", "breakout", "xsec", "funding", "trademix"] {
        tests.push(Trial::new(module_path!(), &format!("{name}_conforms"), move || conforms(name)).takes(8));
    }
    tests.push(trial!(dmae_conforms).takes(60));
    tests
}

/// The program, building into a folder that is kept between runs, with what is downloaded already.
fn builder() -> Command {
    let mut command = mantis();
    command.env("CARGO_TARGET_DIR", bin_dir().join("author")).env("CARGO_NET_OFFLINE", "true");
    command
}

fn library(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{DLL_PREFIX}mantis_{name}{DLL_SUFFIX}"))
}

/// What the suite finds, whether the plugin conforms or not.
fn tested(plugin: &Path, args: &[&str]) -> (bool, Value) {
    let output = mantis().args(["plugin", "test", "--json"]).arg(plugin).args(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    assert_eq!(output.status.code(), Some(i32::from(!output.status.success())), "{stderr}");
    (output.status.success(), report)
}

fn check<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let found = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no check {name}: {report:#}"));
    (found["verdict"].as_str().unwrap(), found["says"].as_str().unwrap())
}

fn with_verdict<'a>(report: &'a Value, verdict: &str) -> Vec<&'a str> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["verdict"] == verdict).map(|check| check["name"].as_str().unwrap()).collect()
}

/// A new plugin's crate, `my-steady` in a folder; gives its stanza.
fn begin(dir: &Path) -> String {
    let api = root().join("plugin-api").canonicalize().unwrap();
    let mut new = mantis();
    let said = stdout(new.args(["plugin", "new", "my-steady", "--dir"]).arg(dir).arg("--api").arg(&api));
    let stanza = fs::read_to_string(dir.join("my-steady/challenge.toml")).unwrap();
    assert!(said.contains(&stanza), "{said}");
    let formatted = Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .arg(dir.join("my-steady/src/lib.rs"))
        .output();
    // Where rustfmt is not installed, there is nothing to compare with.
    if let Ok(formatted) = formatted {
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));
    }
    stanza
}

/// Builds it, with these arguments, into a folder; says how many files that gave.
fn build(dir: &Path, plugins: &Path, args: &[&str]) -> usize {
    let mut build = builder();
    build.args(["plugin", "build"]).arg(dir.join("my-steady")).arg("--out").arg(plugins).args(args);
    stdout(&mut build).lines().count()
}

/// A file that was built of it is what its source says, and conforms.
fn is_sound(dir: &Path, file: &Path, runtimes: &str) {
    let found = json(mantis().args(["plugin", "inspect", "--json"]).arg(file));
    assert_eq!(found["description"]["name"], "my-steady", "{found:#}");
    assert_eq!(found["description"]["params"][0]["key"], "min_rows");
    assert_eq!(found["sha256"], mantis_scoring::plugins::digest(file).unwrap());
    assert_eq!(found["refused"], Value::Null);

    let config = dir.join("my-steady/challenge.toml");
    let bars = ["--max-clones", "1.1", "--max-noise", "0.5", "--config", config.to_str().unwrap()];
    let (conforms, report) = tested(file, &bars);
    assert!(conforms && with_verdict(&report, "note").is_empty(), "{report:#}");
    assert_eq!(check(&report, "runtimes").0, runtimes, "{report:#}");
}

/// The stanza, pasted, scores a ledger.
fn scores(dir: &Path, stanza: &str) {
    let (file, ledger) = (dir.join("challenges.toml"), dir.join("ledger.db"));
    fs::write(&file, stanza).unwrap();
    let mut simulate = mantis();
    simulate.args(["simulate", "--rows", "6000", "--miners", "6", "--config"]).arg(&file);
    stdout(simulate.arg("--out").arg(&ledger));
    let scores = json(mantis().args(["score", "--json", "--config"]).arg(&file).arg("--ledger").arg(&ledger));
    let paid = scores["per_challenge"]["MY-STEADY"].as_object().unwrap().values();
    assert!(paid.filter(|part| part.as_f64() > Some(0.0)).count() >= 2, "{scores:#}");
}

fn from_nothing_to_a_scored_library() {
    let dir = TempDir::new().unwrap();
    let (dir, plugins) = (dir.path(), dir.path().join("plugins"));
    let stanza = begin(dir);
    assert_eq!(build(dir, &plugins, &["--form", "native"]), 1);
    is_sound(dir, &library(&plugins, "my_steady"), "skip");

    // Its own tests pass, too.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(dir.join("my-steady")).args(["test", "--release", "--quiet"]);
    let ran =
        stdout(cargo.env("CARGO_TARGET_DIR", bin_dir().join("author")).env("CARGO_NET_OFFLINE", "true"));
    assert!(ran.contains("4 passed"), "{ran}");
    scores(dir, &stanza.replace("runtime = \"wasm\"", "runtime = \"native\""));
}

fn from_nothing_to_a_scored_component() {
    let dir = TempDir::new().unwrap();
    let (dir, plugins) = (dir.path(), dir.path().join("plugins"));
    let stanza = begin(dir);
    assert_eq!(build(dir, &plugins, &[]), 2, "both forms");
    is_sound(dir, &library(&plugins, "my_steady"), "pass");
    is_sound(dir, &plugins.join("mantis_my_steady.wasm"), "pass");
    assert!(stanza.contains("runtime = \"wasm\""), "{stanza}");
    scores(dir, &stanza);
}

fn conforms(name: &str) {
    let config = root().join("challenges.toml");
    let (conforms, report) = tested(&library(&bin_dir(), name), &["--config", config.to_str().unwrap()]);
    assert!(conforms, "{report:#}");
    assert_eq!(check(&report, "scores").0, "pass", "{report:#}");
    note!("{name}: {:?}", ["clones", "noise", "cost"].map(|name| check(&report, name)));
    let tracking = check(&report, "tracking");
    let tracks = tracking.1.contains("33 assets");
    assert!(tracking.0 == "pass" && tracks == (name == "breakout"), "{tracking:?}");
    let other = check(&report, "runtimes");
    assert_eq!(other.0, if has_wasm() { "pass" } else { "skip" }, "{other:?}");
}

/// Simulated miners all know the same and come at the same time: they are one group, of which copies of a member take a larger
/// part.
fn dmae_conforms() {
    let config = root().join("challenges/dmae/challenge.toml");
    let args = ["--max-noise", "0.5", "--config", config.to_str().unwrap()];
    let (conforms, report) = tested(&library(&bin_dir(), "dmae"), &args);
    assert!(conforms, "{report:#}");
    assert_eq!((check(&report, "scores").0, check(&report, "order").0), ("pass", "pass"), "{report:#}");
    note!("{:?}", ["clones", "noise", "cost"].map(|name| check(&report, name)));
    let other = check(&report, "runtimes");
    assert_eq!(other.0, if has_wasm() { "pass" } else { "skip" }, "{other:?}");
}

fn a_ledger_takes_the_place_of_simulated_miners() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("sim.db");
    let simulate = ["simulate", "--rows", "12000", "--miners", "14", "--only", "ETH,CADUSD", "--out"];
    stdout(mantis().args(simulate).arg(&ledger));
    let config = root().join("challenges.toml");
    let ledger = ledger.to_str().unwrap();
    let args =
        |ticker: &'static str| ["--config", config.to_str().unwrap(), "--ledger", ledger, "--ticker", ticker];
    let (conforms, report) = tested(&library(&bin_dir(), "binary"), &args("ETH"));
    assert!(conforms, "{report:#}");
    // Twelve of the ledger, three who are late by half of it, one who repeats itself, one who sends zeros.
    assert_eq!(report["miners"], 17);
    assert!(report["rows"].as_u64().unwrap() > 11_000, "{report:#}");
    assert_eq!((check(&report, "scores").0, check(&report, "constant").0), ("pass", "pass"), "{report:#}");
    let mut empty = mantis();
    empty.args(["plugin", "test"]).arg(library(&bin_dir(), "xsec")).args(args("MULTIXSEC"));
    let says = failure(&mut empty);
    assert!(says.contains("0 rows and 0 miners of MULTIXSEC"), "{says}");
}

fn what_breaks_the_contract_is_found() {
    let plugin = library(&bin_dir(), "hostile");
    let how = |how: &str| {
        let params = format!("{{\"how\": \"{how}\"}}");
        tested(&plugin, &["--params", &params, "--deadline", "3", "--rows", "1000"]).1
    };
    for (name, failed) in [
        // Pays everybody the same: those who say nothing, too.
        ("none", &["timing", "constant", "absent"][..]),
        ("peek", &["look-ahead", "timing", "constant", "absent"]),
        ("names", &["order", "timing", "constant", "absent"]),
        ("letters", &["names", "timing", "constant", "absent"]),
        ("forget", &["tracking", "timing", "constant", "absent"]),
        ("nan", &["small ledgers", "scores"]),
        ("abort", &["small ledgers", "scores"]),
        ("loop", &["small ledgers", "scores"]),
        ("panic_in_configure", &["configures"]),
    ] {
        let report = how(name);
        assert_eq!(with_verdict(&report, "fail"), failed, "{name}: {report:#}");
    }
    let report = how("late");
    assert_eq!(check(&report, "timing").0, "fail", "{report:#}");
    let report = how("clock");
    assert!(["repeats", "threads"].map(|name| check(&report, name).0) == ["fail", "fail"], "{report:#}");
    // Copies are paid five times: a note, unless the author declares that they are not.
    let paid_alike = ["--params", "{\"how\": \"none\"}", "--rows", "1000"];
    let (_, report) = tested(&plugin, &paid_alike);
    assert_eq!(with_verdict(&report, "note"), ["clones", "noise", "hindsight"], "{report:#}");
    let declared =
        [&paid_alike[..], &["--max-clones", "1.1", "--max-noise", "0.5", "--allow-constant"]].concat();
    let (_, report) = tested(&plugin, &declared);
    assert_eq!(with_verdict(&report, "fail"), ["clones", "noise", "timing", "absent"], "{report:#}");
}

fn inspect_says_why_a_file_is_refused() {
    let dir = TempDir::new().unwrap();
    let refused = |file: &Path| {
        let output = mantis().args(["plugin", "inspect", "--json"]).arg(file).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (found["refused"].as_str().unwrap_or_else(|| panic!("{found:#}")).to_owned(), found)
    };
    assert!(refused(&library(&bin_dir(), "foreign")).0.contains("plugin built for ABI 99"));

    let files = dir.path().join("files.wasm");
    let text = r#"(component (import "wasi:filesystem/preopens@0.2.0" (instance)))"#;
    fs::write(&files, wat::parse_str(text).unwrap()).unwrap();
    let (why, found) = refused(&files);
    assert!(
        why.contains("it imports `wasi:filesystem/preopens@0.2.0`, which plugins are not given"),
        "{why}"
    );
    assert_eq!(found["imports"][0], "wasi:filesystem/preopens@0.2.0");

    let script = dir.path().join("script");
    fs::write(&script, "#!/bin/sh").unwrap();
    let inspect = |path: &Path| failure(mantis().args(["plugin", "inspect"]).arg(path));
    assert!(inspect(&script).contains("another kind of file"));
    assert!(inspect(dir.path()).contains("`mantis plugin build` makes plugins of one"));
    assert!(inspect(&dir.path().join("nothing")).contains("No such file"));
}

fn what_cannot_be_built_says_what_is_missing() {
    let dir = TempDir::new().unwrap();
    let build =
        |path: &Path| failure(builder().args(["plugin", "build"]).arg(path).arg("--out").arg(dir.path()));
    assert!(build(dir.path()).contains("neither a crate (Cargo.toml) nor a Python plugin (app.py)"));
    assert!(build(&root().join("plugin-api")).contains("crate-type"));
    let app = dir.path().join("app");
    fs::create_dir(&app).unwrap();
    fs::write(app.join("app.py"), "").unwrap();
    let mut command = builder();
    command.env("MANTIS_COMPONENTIZE_PY", "/no/such/program").args(["plugin", "build"]).arg(&app);
    let said = failure(command.arg("--out").arg(dir.path()));
    assert!(said.contains("pip install componentize-py"), "{said}");

    let mut new = mantis();
    let said = failure(new.args(["plugin", "new", "Bad Name", "--dir"]).arg(dir.path()));
    assert!(said.contains("small letters"), "{said}");
}

fn the_example_in_python_conforms() {
    let dir = TempDir::new().unwrap();
    let example = root().join("examples/python-momentum");
    let file = stdout(builder().args(["plugin", "build"]).arg(&example).arg("--out").arg(dir.path()));
    assert!(!example.join("__pycache__").exists(), "something is left in the source's folder");
    let config = example.join("challenge.toml");
    let bars = ["--max-clones", "1.1", "--max-noise", "0.5", "--config", config.to_str().unwrap()];
    let (conforms, report) = tested(Path::new(file.trim()), &bars);
    assert!(conforms && with_verdict(&report, "note").is_empty(), "{report:#}");
    note!("{:?}", check(&report, "cost"));
}
