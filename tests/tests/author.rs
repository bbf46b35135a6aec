//! The author's way: a new plugin is made, built, looked into, tried out and scored; what is wrong with one is found.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_tests::{bin_dir, failure, has_wasm, json, mantis, root, stdout};
use serde_json::Value;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

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

#[test]
fn from_nothing_to_a_scored_challenge() {
    let dir = TempDir::new().unwrap();
    let (krate, plugins) = (dir.path().join("my-steady"), dir.path().join("plugins"));
    let api = root().join("plugin-api").canonicalize().unwrap();
    let said =
        stdout(mantis().args(["plugin", "new", "my-steady", "--dir"]).arg(dir.path()).arg("--api").arg(&api));
    let stanza = fs::read_to_string(krate.join("challenge.toml")).unwrap();
    assert!(said.contains(&stanza), "{said}");

    let wasm = has_wasm();
    let mut build = builder();
    build.args(["plugin", "build"]).arg(&krate).arg("--out").arg(&plugins);
    if !wasm {
        build.args(["--form", "native"]);
    }
    let files = stdout(&mut build);
    assert_eq!(files.lines().count(), 1 + usize::from(wasm), "{files}");

    let mut forms = vec![library(&plugins, "my_steady")];
    forms.extend(wasm.then(|| plugins.join("mantis_my_steady.wasm")));
    let config = krate.join("challenge.toml");
    for file in &forms {
        let found = json(mantis().args(["plugin", "inspect", "--json"]).arg(file));
        assert_eq!(found["description"]["name"], "my-steady", "{found:#}");
        assert_eq!(found["description"]["params"][0]["key"], "min_rows");
        assert_eq!(found["sha256"], mantis_scoring::plugins::digest(file).unwrap());
        assert_eq!(found["refused"], Value::Null);

        let bars = ["--max-clones", "1.1", "--max-noise", "0.5", "--config", config.to_str().unwrap()];
        let (conforms, report) = tested(file, &bars);
        assert!(conforms && with_verdict(&report, "note").is_empty(), "{report:#}");
        assert_eq!(check(&report, "runtimes").0, if wasm { "pass" } else { "skip" }, "{report:#}");
    }

    // Its own tests pass, too.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&krate).args(["test", "--release", "--quiet"]);
    let ran =
        stdout(cargo.env("CARGO_TARGET_DIR", bin_dir().join("author")).env("CARGO_NET_OFFLINE", "true"));
    assert!(ran.contains("4 passed"), "{ran}");

    // The stanza, pasted, scores a ledger.
    let runtime = if wasm { "wasm" } else { "native" };
    let stanza = stanza.replace("runtime = \"wasm\"", &format!("runtime = \"{runtime}\""));
    let file = dir.path().join("challenges.toml");
    fs::write(&file, stanza).unwrap();
    let ledger = dir.path().join("ledger.db");
    let mut simulate = mantis();
    simulate
        .args(["simulate", "--rows", "6000", "--miners", "6", "--config"])
        .arg(&file)
        .arg("--out")
        .arg(&ledger);
    stdout(&mut simulate);
    let scores = json(mantis().args(["score", "--json", "--config"]).arg(&file).arg("--ledger").arg(&ledger));
    let paid = scores["per_challenge"]["MY-STEADY"].as_object().unwrap().values();
    assert!(paid.filter(|part| part.as_f64() > Some(0.0)).count() >= 2, "{scores:#}");
}

#[test]
fn all_seven_conform() {
    let config = root().join("challenges.toml");
    for name in ["binary", "hitfirst", "lbfgs", "breakout", "xsec", "funding", "trademix"] {
        let (conforms, report) = tested(&library(&bin_dir(), name), &["--config", config.to_str().unwrap()]);
        assert!(conforms, "{report:#}");
        assert_eq!(check(&report, "scores").0, "pass", "{report:#}");
        let clones = check(&report, "clones");
        println!("{name}: {clones:?}, {:?}, {:?}", check(&report, "noise"), check(&report, "cost"));
        let tracking = check(&report, "tracking");
        assert!(
            tracking.0 == "pass" && tracking.1.contains("33 assets") == (name == "breakout"),
            "{tracking:?}"
        );
        let other = check(&report, "runtimes");
        assert_eq!(other.0, if has_wasm() { "pass" } else { "skip" }, "{name}: {other:?}");
    }
}

#[test]
fn what_breaks_the_contract_is_found() {
    let plugin = library(&bin_dir(), "hostile");
    let how = |how: &str| {
        let params = format!("{{\"how\": \"{how}\"}}");
        tested(&plugin, &["--params", &params, "--deadline", "3", "--rows", "1000"]).1
    };
    for (name, failed) in [
        // Pays everybody the same: those who say nothing, too.
        ("none", &["constant", "absent"][..]),
        ("peek", &["look-ahead", "constant", "absent"]),
        ("names", &["order", "constant", "absent"]),
        ("forget", &["tracking", "constant", "absent"]),
        ("nan", &["small ledgers", "scores"]),
        ("abort", &["small ledgers", "scores"]),
        ("loop", &["small ledgers", "scores"]),
        ("panic_in_configure", &["configures"]),
    ] {
        let report = how(name);
        assert_eq!(with_verdict(&report, "fail"), failed, "{name}: {report:#}");
    }
    let report = how("clock");
    assert!(["repeats", "threads"].map(|name| check(&report, name).0) == ["fail", "fail"], "{report:#}");
    // Copies are paid five times: a note, unless the author declares that they are not.
    let paid_alike = ["--params", "{\"how\": \"none\"}", "--rows", "1000"];
    let (_, report) = tested(&plugin, &paid_alike);
    assert_eq!(with_verdict(&report, "note"), ["clones", "noise"], "{report:#}");
    let declared =
        [&paid_alike[..], &["--max-clones", "1.1", "--max-noise", "0.5", "--allow-constant"]].concat();
    let (_, report) = tested(&plugin, &declared);
    assert_eq!(with_verdict(&report, "fail"), ["clones", "noise", "absent"], "{report:#}");
}

#[test]
fn inspect_says_why_a_file_is_refused() {
    let dir = TempDir::new().unwrap();
    let refused = |file: &Path| {
        let found = json(mantis().args(["plugin", "inspect", "--json"]).arg(file));
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

#[test]
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

#[test]
fn the_example_in_python_conforms() {
    let program = std::env::var_os("MANTIS_COMPONENTIZE_PY");
    let there =
        Command::new(program.clone().unwrap_or_else(|| "componentize-py".into())).arg("--version").output();
    if there.is_err() {
        assert!(program.is_none(), "MANTIS_COMPONENTIZE_PY names no program: {there:?}");
        println!("skipped: no componentize-py; install it, or name it in MANTIS_COMPONENTIZE_PY");
        return;
    }
    let dir = TempDir::new().unwrap();
    let example = root().join("examples/python-momentum");
    let file = stdout(builder().args(["plugin", "build"]).arg(&example).arg("--out").arg(dir.path()));
    assert!(!example.join("__pycache__").exists(), "something is left in the source's folder");
    let config = example.join("challenge.toml");
    let bars = ["--max-clones", "1.1", "--max-noise", "0.5", "--config", config.to_str().unwrap()];
    let (conforms, report) = tested(Path::new(file.trim()), &bars);
    assert!(conforms && with_verdict(&report, "note").is_empty(), "{report:#}");
    println!("{:?}", check(&report, "cost"));
}
