//! What the outside-in tests share: running the built program, and small ledgers.
//!
//! The program and its plugins are those of the same build, in the folder above the test's own: `cargo xtask test`
//! builds them first.

pub mod anvil;
pub mod boot;
pub mod browser;
pub mod http;
pub mod localnet;
pub mod mirror;
pub mod need;
pub mod owner;
pub mod proxy;
pub mod publisher;
pub mod record;
pub mod served;
pub mod signals;
pub mod slurm;
pub mod stage;
pub mod structure;
pub mod suite;

use half::f16;
use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, NewRow, SampledBlock};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The folder of the built program.
///
/// # Panics
/// If the test does not run from cargo's target folder.
#[must_use]
pub fn bin_dir() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    // Tests lie one folder deeper than programs.
    let mut folders = test.ancestors().skip(1).take(2);
    let built = folders.find(|folder| folder.join("mantis").is_file());
    built.or(test.ancestors().nth(2)).expect("target folder").to_path_buf()
}

/// The built program, run at the root of the workspace.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn mantis() -> Command {
    let program = bin_dir().join("mantis");
    assert!(program.is_file(), "{} is missing: run `cargo xtask test`", program.display());
    let mut command = Command::new(program);
    command.current_dir(root()).env_remove("NO_COLOR");
    // Machine code of plugins is kept beside the build, not in the user's folder.
    command.env("XDG_CACHE_HOME", bin_dir().join("cache"));
    command
}

/// What to say if a program does not run.
fn no_program(name: impl AsRef<Path>) -> Option<String> {
    let name = name.as_ref();
    let ran = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let runs = ran.is_ok_and(|status| status.success());
    (!runs).then(|| format!("no program {}", name.display()))
}

/// A runtime of two threads: servers of a test, and the test itself.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
}

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a command that must succeed; gives its standard output.
///
/// # Panics
/// If it fails.
pub fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {stderr}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command that must succeed and print JSON.
///
/// # Panics
/// If it does not.
pub fn json(command: &mut Command) -> Value {
    serde_json::from_str(&stdout(command)).expect("JSON")
}

/// Scores a [`tiny_ledger`] of these tickers, which is written into the folder first. Gives the document, and what was
/// said beside it.
///
/// # Panics
/// If `mantis score` fails.
pub fn score_tiny(dir: &Path, config: &Path, tickers: &[String], deadline: &str) -> (Value, String) {
    let ledger = dir.join("ledger.db");
    tiny_ledger(&ledger, &tickers.iter().map(String::as_str).collect::<Vec<_>>(), 20);
    let mut command = mantis();
    command.args(["score", "--json", "--deadline", deadline, "--ledger"]).arg(ledger);
    let output = command.arg("--config").arg(config).output().expect("the program runs");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{stderr}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), stderr)
}

/// Runs a command that must fail with one message, without a panic; gives the message.
///
/// # Panics
/// If it does not.
pub fn failure(command: &mut Command) -> String {
    failure_with(1, command)
}

/// The same, with an exit code of its own.
///
/// # Panics
/// If it does not.
pub fn failure_with(code: i32, command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(code), "{command:?}: {stderr}{}", String::from_utf8_lossy(&stdout));
    assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{stderr}");
    stderr
}

/// A document without what differs from run to run.
#[must_use]
pub fn timeless(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("seconds");
        fields.remove("peak_rss_mb");
    }
    document
}

/// Sum of absolute differences between two objects of numbers; a key that one lacks counts as 0.
///
/// # Panics
/// If a value is not a number.
#[must_use]
pub fn l1(a: &Value, b: &Value) -> f64 {
    let empty = serde_json::Map::new();
    let (a, b) = (a.as_object().unwrap_or(&empty), b.as_object().unwrap_or(&empty));
    let number = |value: Option<&Value>| value.map_or(0.0, |v| v.as_f64().expect("a number"));
    let in_a = a.iter().map(|(key, value)| (number(Some(value)) - number(b.get(key))).abs());
    let only_b =
        b.iter().filter(|(key, _)| !a.contains_key(*key)).map(|(_, value)| number(Some(value)).abs());
    in_a.chain(only_b).sum()
}

/// A ledger of a few rows for each ticker, with three miners who send two numbers: the first of 5Alice and 5Bob knows
/// something of the price two rows on, 5Carol's nothing.
///
/// # Panics
/// If it cannot be written.
pub fn tiny_ledger(path: &Path, tickers: &[&str], rows: i64) {
    let price = |row: i64| 100.0 + ((row * 7) % 23) as f64;
    let wave = |row: i64, miner: i64| ((row * (miner + 3)) % 17) as f32 / 17.0 - 0.47;
    let record = |ticker: &&str, row: i64| {
        let knows = if price(row + 2) > price(row) { 0.3 } else { -0.3 };
        let submissions = ["5Alice", "5Bob", "5Carol"].iter().zip(0..).map(|(hotkey, miner)| {
            let first = knows * [1.0, 0.5, 0.0][miner as usize] + wave(row, miner);
            (hotkey.to_string(), vec![f16::from_f32(first), f16::from_f32(wave(row, miner + 1))].into())
        });
        NewRow {
            ticker: ticker.to_string(),
            dim: 2,
            blocks_ahead: 10,
            price: Some(price(row)),
            price_data: None,
            submissions: submissions.collect(),
        }
    };
    let step = |row: i64| SampledBlock {
        block: Block(5 * (1_000_000 + row)),
        sidx: Sidx(1_000_000 + row),
        rows: tickers.iter().map(|ticker| record(ticker, row)).collect(),
    };
    let steps: Vec<SampledBlock> = (0..rows).map(step).collect();
    Ledger::open(path).expect("a new ledger").append_many(&steps, 1000).expect("written");
}
