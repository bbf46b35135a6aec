//! What the sandbox costs: WebAssembly over native, in one run.

use crate::document::{results, seconds, tickers};
use crate::shell::{mantis, output};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

/// Most that a challenge may take as WebAssembly, over its time as a shared library.
const BAR_EACH: f64 = 1.7;
/// The same of all challenges together.
const BAR_CYCLE: f64 = 1.5;

/// A run: wall time of the whole process, and what it printed.
type Run = (f64, Value);

/// Scores in both runtimes in turns, so that a slow spell of the machine meets both, and prints the ratios of the
/// medians.
///
/// # Errors
/// If a run fails, the runtimes differ in a bit of a result, or a bar is missed.
pub(crate) fn bench(ledger: &Path, only: Option<&str>, runs: u32, solver: &str) -> Result<()> {
    let once = |runtime: &str, threads: Option<&str>| once(ledger, only, solver, runtime, threads);
    // Fills the cache of machine code, and the system's of files.
    let warm = [once("native", None)?, once("wasm", None)?];
    ensure!(
        results(&warm[0].1) == results(&warm[1].1),
        "the saliences of the two runtimes differ in {}",
        ledger.display()
    );
    let (mut each, mut cycles): ([Vec<Run>; 2], [Vec<Run>; 2]) = Default::default();
    for _ in 0..runs.max(1) {
        for (i, runtime) in ["native", "wasm"].into_iter().enumerate() {
            // One at a time: a challenge's time is its own.
            each[i].push(once(runtime, Some("1"))?);
            cycles[i].push(once(runtime, None)?);
        }
    }
    println!("{}: median of {}, solver {solver}", ledger.display(), runs.max(1));
    println!("{:16} {:>10} {:>10} {:>7} {:>5}", "seconds", "native", "wasm", "ratio", "bar");
    let mut missed = Vec::new();
    for ticker in tickers(&warm[0].1)? {
        let [native, wasm] = each.each_ref().map(|runs| median(runs, |run| seconds(&run.1, ticker)));
        let skipped = warm[0].1["skipped"][ticker].as_str();
        let note = skipped.map_or(String::new(), |why| format!("  pays no miner: {why}"));
        println!("{ticker:16} {native:>10.3} {wasm:>10.3} {:>7.2} {BAR_EACH:>5}{note}", wasm / native);
        if wasm / native > BAR_EACH {
            missed.push(ticker.as_str());
        }
    }
    let [native, wasm] = cycles.each_ref().map(|runs| median(runs, |run| run.0));
    println!("{:16} {native:>10.3} {wasm:>10.3} {:>7.2} {BAR_CYCLE:>5}", "whole cycle", wasm / native);
    if wasm / native > BAR_CYCLE {
        missed.push("whole cycle");
    }
    ensure!(missed.is_empty(), "above the bar: {}", missed.join(", "));
    Ok(())
}

fn once(
    ledger: &Path,
    only: Option<&str>,
    solver: &str,
    runtime: &str,
    threads: Option<&str>,
) -> Result<Run> {
    let mut command = mantis()?;
    command.arg("score").arg("--ledger").arg(ledger);
    command.args(["--solver", solver, "--runtime", runtime, "--json", "--no-cache"]);
    for (option, value) in [("--only", only), ("--threads", threads)] {
        if let Some(value) = value {
            command.args([option, value]);
        }
    }
    let started = Instant::now();
    let document = serde_json::from_str(&output(&mut command)?).context("the document of `mantis score`")?;
    Ok((started.elapsed().as_secs_f64(), document))
}

fn median(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
