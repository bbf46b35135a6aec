//! Benchmarks that anyone can run.

use crate::shell::{build, mantis, output, run, target_dir};
use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Seconds per challenge and peak memory of `mantis score` on a simulated ledger.
    Score {
        /// Rows of the ledger.
        #[arg(long, default_value_t = 45_500)]
        rows: u32,
        /// Miners in it.
        #[arg(long, default_value_t = 64)]
        miners: u16,
        /// Tickers; the default is every challenge whose plugin is built.
        #[arg(long)]
        only: Option<String>,
        /// Runs of each kind; the fastest counts.
        #[arg(long, default_value_t = 3)]
        runs: u32,
        /// Score this ledger instead of a simulated one.
        #[arg(long)]
        ledger: Option<PathBuf>,
    },
}

pub(crate) fn run_bench(what: &Bench) -> Result<()> {
    build()?;
    match what {
        Bench::Score { rows, miners, only, runs, ledger } => {
            let ledger = match ledger {
                Some(ledger) => ledger.clone(),
                None => simulated(*rows, *miners, only.as_deref())?,
            };
            score(&ledger, only.as_deref(), *runs)
        }
    }
}

/// A ledger of simulated miners, made once and kept.
fn simulated(rows: u32, miners: u16, only: Option<&str>) -> Result<PathBuf> {
    let dir = target_dir()?.join("bench");
    std::fs::create_dir_all(&dir)?;
    let ledger = dir.join(format!("{rows}x{miners}{}.db", only.map(|o| format!("-{o}")).unwrap_or_default()));
    if !ledger.exists() {
        eprintln!("simulating {rows} rows x {miners} miners in {}", ledger.display());
        let part = ledger.with_extension("part");
        let _ = std::fs::remove_file(&part);
        let mut command = mantis()?;
        command.arg("simulate").arg("--out").arg(&part);
        command.args(["--rows", &rows.to_string(), "--miners", &miners.to_string()]);
        if let Some(only) = only {
            command.args(["--only", only]);
        }
        run(&mut command)?;
        std::fs::rename(&part, &ledger)?;
    }
    Ok(ledger)
}

/// Scores in both modes, alternating, so that a slow spell of the machine meets both.
fn score(ledger: &Path, only: Option<&str>, runs: u32) -> Result<()> {
    let modes = ["exact", "network"];
    let mut best: [Option<(f64, Value)>; 2] = [None, None];
    for _ in 0..runs.max(1) {
        for (mode, best) in modes.iter().zip(&mut best) {
            let mut command = mantis()?;
            command.arg("score").arg("--ledger").arg(ledger).args(["--solver", mode, "--json"]);
            if let Some(only) = only {
                command.args(["--only", only]);
            }
            let started = Instant::now();
            let document: Value = serde_json::from_str(&output(&mut command)?)?;
            let seconds = started.elapsed().as_secs_f64();
            if best.as_ref().is_none_or(|(fastest, _)| seconds < *fastest) {
                *best = Some((seconds, document));
            }
        }
    }
    let [Some((exact_wall, exact)), Some((network_wall, network))] = best else { return Ok(()) };
    println!("{}: best of {runs}", ledger.display());
    println!("{:16} {:>10} {:>10}", "seconds", modes[0], modes[1]);
    let tickers = exact["seconds"].as_object().context("no seconds in the document")?.keys();
    for ticker in tickers {
        let of = |document: &Value| document["seconds"][ticker].as_f64().unwrap_or(f64::NAN);
        let skipped =
            exact["skipped"][ticker].as_str().map_or(String::new(), |why| format!("  skipped: {why}"));
        println!("{ticker:16} {:>10.2} {:>10.2}{skipped}", of(&exact), of(&network));
    }
    println!("{:16} {exact_wall:>10.2} {network_wall:>10.2}", "whole process");
    let memory = |document: &Value| document["peak_rss_mb"].as_f64().unwrap_or(f64::NAN);
    println!("{:16} {:>10.0} {:>10.0}", "peak memory, MB", memory(&exact), memory(&network));
    Ok(())
}
