//! A WebAssembly plugin that fails, or wants more than it may have, costs its own challenge only, and says so.

use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, failure, json, mantis, score_tiny, tiny_ledger, trial};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(every_failure_names_itself_and_leaves_the_others_alone).needs(Need::Wasm).takes(5),
        trial!(what_a_plugin_prints_or_logs_does_no_harm).needs(Need::Wasm),
        trial!(components_that_do_not_fit_are_refused),
        trial!(a_truncated_component_is_refused).needs(Need::Wasm),
        trial!(a_pin_is_checked_before_loading).needs(Need::Wasm),
        trial!(a_file_swapped_while_running_harms_the_next_run_only).needs(Need::Wasm),
    ]
}

/// Failures of `tests/plugins/hostile`, compiled to WebAssembly.
const FAILURES: &[(&str, &str)] = &[
    ("error", "told to fail"),
    ("panic", "the plugin panicked: panicked at tests/plugins/hostile/src/lib.rs"),
    ("abort", "the plugin trapped: it aborted without a message"),
    ("exit", "the plugin trapped: it aborted without a message"),
    ("loop", "the plugin did not finish within 4 s and was ended"),
    ("sleep", "the plugin panicked"),
    ("overflow", "a stack that overflows"),
    ("nan", "the plugin broke its contract: a salience of NaN for 5Alice"),
    ("infinite", "the plugin broke its contract: a salience of inf for 5Alice"),
    ("negative", "the plugin broke its contract: a salience of -1 for 5Alice"),
    ("short", "the plugin broke its contract: 2 saliences and 2 reports for 3 miners"),
    ("long", "the plugin broke its contract: 4 saliences and 4 reports for 3 miners"),
    ("outside", "history of miners 3..4"),
    ("memory", "MiB of memory; `wasm_memory_mib` allows 512"),
    ("panic_in_configure", "the plugin panicked: panicked at tests/plugins/hostile/src/lib.rs"),
];

/// Functions of the contract, with the wrong type and a body that is each component's own.
const SHELL: &str = r#"
  (core instance $i (instantiate $m))
  (func $f (result u32) (canon lift (core func $i "f")))
  (instance $p (export "describe" (func $f)) (export "configure" (func $f)) (export "decode" (func $f))
    (export "score" (func $f)) (export "track" (func $f)))
  (export "mantis:challenge/plugin@1.0.0" (instance $p))"#;

/// A component with `pages` of memory whose `describe` gives the string of `length` bytes at `address`. At address 24
/// lie bytes that are no text.
fn says(pages: u32, address: u32, length: u32) -> String {
    format!(
        r#"(component
          (core module $m
            (memory (export "memory") {pages})
            (data (i32.const 24) "\ff\ff")
            (func (export "f") (result i32)
              (i32.store (i32.const 16) (i32.const {address}))
              (i32.store (i32.const 20) (i32.const {length}))
              (i32.const 16)))
          (core instance $i (instantiate $m))
          (func $f (result string) (canon lift (core func $i "f") (memory (core memory $i "memory"))))
          (instance $p (export "describe" (func $f)) (export "configure" (func $f)) (export "decode" (func $f))
            (export "score" (func $f)) (export "track" (func $f)))
          (export "mantis:challenge/plugin@1.0.0" (instance $p)))"#
    )
}

/// Components that are refused: name, text, what is said.
fn refused() -> Vec<(&'static str, String, &'static str)> {
    let with = |module: &str| format!("(component (core module $m {module}) {SHELL})");
    vec![
        ("empty", "(component)".into(), "exports no `mantis:challenge/plugin`; does its crate call"),
        ("core", "(module)".into(), "a WebAssembly module, not a component"),
        (
            "bare",
            r#"(component (instance $p) (export "mantis:challenge/plugin@1.0.0" (instance $p)))"#.into(),
            "its `mantis:challenge/plugin@1.0.0` exports no `describe`",
        ),
        (
            "future",
            r#"(component (instance $p) (export "mantis:challenge/plugin@99.0.0" (instance $p)))"#.into(),
            "plugin built for ABI 99.0 (mantis:challenge/plugin@99.0.0); this program supports ABI 1.0 to 1.1",
        ),
        (
            "newer-host",
            r#"(component (import "mantis:challenge/host@2.0.0" (instance)))"#.into(),
            "plugin built for ABI 2",
        ),
        (
            "unknown-function",
            r#"(component (import "mantis:challenge/host@1.0.0" (instance (export "spawn" (func))))
              (core module $m (func (export "f") (result i32) (i32.const 1)))"#
                .to_owned()
                + SHELL
                + ")",
            "spawn",
        ),
        (
            "files",
            r#"(component (import "wasi:filesystem/preopens@0.2.0" (instance)))"#.into(),
            "it imports `wasi:filesystem/preopens@0.2.0`, which plugins are not given",
        ),
        (
            "clock",
            r#"(component (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64))))))"#
                .into(),
            "it imports `wasi:clocks/monotonic-clock@0.2.0`, which plugins are not given",
        ),
        (
            "wrong-type",
            with(r#"(func (export "f") (result i32) (i32.const 1))"#),
            "its `describe` has another type",
        ),
        (
            "relaxed",
            with(
                r#"(func (export "f") (result i32) (i32x4.extract_lane 0 (f32x4.relaxed_madd (v128.const i32x4 0 0 0 0)
                  (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))))"#,
            ),
            "relaxed SIMD",
        ),
        (
            "trap-at-start",
            with(r#"(func $s unreachable) (start $s) (func (export "f") (result i32) (i32.const 1))"#),
            "the plugin trapped",
        ),
        (
            "big-at-start",
            with(r#"(memory 60000) (func (export "f") (result i32) (i32.const 1))"#),
            "the plugin asked for 3750 MiB of memory; `wasm_memory_mib` allows 3584",
        ),
        ("outside", says(1, 24, 2_000_000), "the plugin broke its contract"),
        ("not-text", says(1, 24, 2), "the plugin broke its contract"),
        ("endless-text", says(20_000, 1024, 1_000_000_000), "the plugin broke its contract"),
    ]
}

/// One challenge per name; `plugin` names each one's plugin.
fn config(dir: &Path, names: &[&str], plugin: impl Fn(&str) -> String, more: &str) -> PathBuf {
    let mut text = "runtime = \"wasm\"\nwasm_memory_mib = 512\n".to_owned();
    for name in names {
        let (ticker, plugin) = (ticker(name), plugin(name));
        let how = if plugin == "hostile" {
            format!("[challenge.params]\nhow = \"{name}\"\n")
        } else {
            String::new()
        };
        write!(
            text,
            "[[challenge]]\nname = \"{name}\"\nticker = \"{ticker}\"\nplugin = \"{plugin}\"\ndim = 2\nblocks_ahead = 300\n\
             weight = 1.0\n{more}{how}"
        )
        .unwrap();
    }
    let path = dir.join("challenges.toml");
    fs::write(&path, text).unwrap();
    path
}

fn ticker(name: &str) -> String {
    format!("T-{}", name.to_uppercase())
}

fn hostile(dir: &Path, names: &[&str], more: &str) -> PathBuf {
    let config = config(dir, names, |_| "hostile".into(), more);
    // Keeps the machine code, so that compiling counts against no deadline below.
    json(mantis().args(["challenges", "--json", "--config"]).arg(&config));
    config
}

fn score(dir: &Path, config: &Path, names: &[&str], deadline: &str) -> (Value, String) {
    score_tiny(dir, config, &names.iter().map(|name| ticker(name)).collect::<Vec<_>>(), deadline)
}

fn every_failure_names_itself_and_leaves_the_others_alone() {
    let dir = TempDir::new().unwrap();
    let names: Vec<&str> = FAILURES.iter().map(|(how, _)| *how).chain(["none"]).collect();
    let config = hostile(dir.path(), &names, "");
    let (document, _) = score(dir.path(), &config, &names, "4");
    for (how, says) in FAILURES {
        let reason =
            document["skipped"][&ticker(how)].as_str().unwrap_or_else(|| panic!("{how}: {document:#}"));
        assert!(reason.contains(says), "{how}: {reason}");
        assert!(document["per_challenge"].get(ticker(how)).is_none(), "{how} has a salience");
    }
    assert_eq!(document["per_challenge"]["T-NONE"]["5Bob"], 1.0 / 3.0);
    assert_eq!(document["total"]["5Bob"], 1.0 / 3.0);
}

fn what_a_plugin_prints_or_logs_does_no_harm() {
    let dir = TempDir::new().unwrap();
    let names = ["print", "chatter", "gigabyte"];
    let config = hostile(dir.path(), &names, "");
    let (document, stderr) = score(dir.path(), &config, &names, "60");
    for name in names {
        assert_eq!(document["per_challenge"][ticker(name)]["5Bob"], 1.0 / 3.0, "{document:#}");
    }
    assert!(stderr.contains("T-CHATTER: line 999 of many") && !stderr.contains("line 1001 of many"));
    assert!(stderr.contains("T-GIGABYTE: xxx") && stderr.len() < 4_000_000, "{} bytes", stderr.len());
}

fn components_that_do_not_fit_are_refused() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let mut expected = Vec::new();
    for (name, text, says) in refused() {
        let bytes = wat::parse_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        fs::write(plugins.join(format!("mantis_{}.wasm", name.replace('-', "_"))), bytes).unwrap();
        expected.push((name, says));
    }
    let text = "not a component, though long enough. ".repeat(100);
    fs::write(plugins.join("mantis_text.wasm"), text).unwrap();
    fs::write(plugins.join("mantis_nothing.wasm"), "").unwrap();
    fs::write(plugins.join("mantis_head.wasm"), b"\0asm\x0d\0\x01").unwrap();
    expected.extend([
        ("text", "cannot be loaded as a plugin"),
        ("nothing", "cannot be loaded as a plugin"),
        ("head", "cannot be loaded as a plugin"),
        ("absent", "no plugin `absent`"),
    ]);
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let config = config(dir.path(), &names, str::to_owned, "");
    let text = fs::read_to_string(&config).unwrap().replace("wasm_memory_mib = 512\n", "\n");
    fs::write(&config, text).unwrap();
    let all = failure(mantis().args(["config", "check"]).arg(&config));
    assert!(all.contains(&format!("{} faults", names.len())), "{all}");
    for (name, says) in expected {
        let fault = all.lines().find(|line| line.contains(&format!("\"{name}\": key `plugin`")));
        let fault = fault.unwrap_or_else(|| panic!("{name}: {all}"));
        assert!(fault.contains(says), "{name}: {fault}");
    }
}

fn a_truncated_component_is_refused() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let whole = fs::read(bin_dir().join("mantis_hostile.wasm")).unwrap();
    fs::write(plugins.join("mantis_half.wasm"), &whole[..whole.len() / 2]).unwrap();
    let config = config(dir.path(), &["half"], str::to_owned, "");
    let says = failure(mantis().args(["config", "check"]).arg(config));
    assert!(says.contains("mantis_half.wasm: cannot be loaded as a plugin"), "{says}");
}

fn a_pin_is_checked_before_loading() {
    let dir = TempDir::new().unwrap();
    let wrong = "0".repeat(64);
    let pinned = hostile(dir.path(), &["none"], &format!("sha256 = \"{wrong}\"\n"));
    let (document, _) = score(dir.path(), &pinned, &["none"], "60");
    let reason = document["skipped"]["T-NONE"].as_str().unwrap();
    assert!(reason.contains("its sha256 is") && reason.contains(&wrong), "{reason}");

    let dir = TempDir::new().unwrap();
    let right = mantis_scoring::plugins::digest(&bin_dir().join("mantis_hostile.wasm")).unwrap();
    let pinned = hostile(dir.path(), &["none"], &format!("sha256 = \"{right}\"\n"));
    let (document, _) = score(dir.path(), &pinned, &["none"], "60");
    assert_eq!(document["per_challenge"]["T-NONE"]["5Bob"], 1.0 / 3.0, "{document:#}");
    let listed = json(mantis().args(["challenges", "--json", "--config"]).arg(&pinned));
    assert_eq!(
        (&listed["challenges"][0]["sha256"], &listed["challenges"][0]["pinned"]),
        (&json!(right), &json!(true))
    );
}

fn a_file_swapped_while_running_harms_the_next_run_only() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let file = plugins.join("mantis_hostile.wasm");
    fs::copy(bin_dir().join("mantis_hostile.wasm"), &file).unwrap();
    let names = ["slow", "none"];
    let config = hostile(dir.path(), &names, "");
    let ledger = dir.path().join("ledger.db");
    tiny_ledger(&ledger, &["T-SLOW", "T-NONE"], 20);
    let mut command = mantis();
    command.args(["score", "--json", "--threads", "1", "--ledger"]).arg(&ledger).arg("--config").arg(&config);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("T-SLOW: at work") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended early: {said}");
    }
    // In place, as a careless copy does: the very file that the running plugin came from.
    fs::write(&file, b"\0asm\x0d\0\x01\0 half a file").unwrap();
    let mut document = String::new();
    running.stdout.take().unwrap().read_to_string(&mut document).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(running.wait().unwrap().success(), "{said}");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["per_challenge"]["T-SLOW"]["5Bob"], 1.0 / 3.0, "{document:#}");
    let reason = document["skipped"]["T-NONE"].as_str().unwrap();
    assert!(reason.contains("cannot be loaded as a plugin"), "{reason}");
}
