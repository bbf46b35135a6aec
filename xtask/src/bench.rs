//! Benchmarks that anyone can run.

use crate::document::{seconds, tickers};
use crate::shell::{build, cargo, mantis, output, root, run, target_dir};
use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
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
        /// Also show how the time grows when rows and miners double, from half of each.
        #[arg(long, conflicts_with = "ledger")]
        growth: bool,
    },
    /// A computation of weights at full size: without kept histories, while they are begun, and when new rows have come.
    Cycle {
        /// Rows of the ledger.
        #[arg(long, default_value_t = 86_400)]
        rows: u32,
        /// Miners in it.
        #[arg(long, default_value_t = 256)]
        miners: u16,
        /// Rows that come between two computations.
        #[arg(long, default_value_t = 200)]
        new: u32,
        /// Where model fits stop, one after the other.
        #[arg(long, default_value = "exact,network")]
        solvers: String,
        /// What plugins run in, one after the other.
        #[arg(long, default_value = "native,wasm")]
        runtimes: String,
        /// Score this ledger instead of a simulated one. Its histories are made anew.
        #[arg(long)]
        ledger: Option<PathBuf>,
    },
    /// Payloads opened per second on one core, beside the `timelock` crate.
    Payload {
        /// How many different payloads.
        #[arg(long, default_value_t = 256)]
        count: u32,
    },
    /// How long the dashboard's answers take while many read it, and whether the validator misses a sample meanwhile.
    Web {
        /// Readers, each with a connection of its own.
        #[arg(long, default_value_t = 200)]
        readers: u32,
        /// How long they read.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// How long forecasts take to as many readers of streams, and how many requests a second are answered.
    Signal {
        /// Readers of the stream, each with a connection of its own.
        #[arg(long, default_value_t = 1000)]
        readers: u32,
        /// Rounds of twelve forecasts, one a second.
        #[arg(long, default_value_t = 20)]
        rounds: u32,
    },
    /// What sampling and maturing cost while payloads wait for days.
    Waiting {
        /// Days of payloads that wait.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Miners, each with a payload in every sampled block.
        #[arg(long, default_value_t = 256)]
        miners: u32,
        /// Bytes of a payload. All of them are written to the disk.
        #[arg(long, default_value_t = 5000)]
        bytes: u32,
    },
    /// What one score of `dmae` costs, on a history in memory.
    Embeddings {
        /// Rows of the history.
        #[arg(long, default_value_t = 86_400)]
        rows: u32,
        /// Miners in it.
        #[arg(long, default_value_t = 256)]
        miners: u32,
        /// Numbers that each sends in a row.
        #[arg(long, default_value_t = 100)]
        dim: u32,
        /// Parameters as JSON.
        #[arg(long, default_value = "{}")]
        params: String,
    },
    /// Seconds per challenge of the same plugins as WebAssembly components and as shared libraries.
    Runtime {
        /// Rows of the ledger.
        #[arg(long, default_value_t = 45_500)]
        rows: u32,
        /// Miners in it.
        #[arg(long, default_value_t = 64)]
        miners: u16,
        /// Tickers; the default is all.
        #[arg(long)]
        only: Option<String>,
        /// Runs of each kind, in turns; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: u32,
        /// Score this ledger instead of a simulated one.
        #[arg(long)]
        ledger: Option<PathBuf>,
        /// Where model fits stop.
        #[arg(long, default_value = "network")]
        solver: String,
    },
}

/// Bytes that a miner's vectors of all challenges take in a row of the ledger and of the histories: 38 GB in 86,400 x 256.
const BYTES_EACH: f64 = 1_700.0;

pub(crate) fn run_bench(what: &Bench) -> Result<()> {
    match what {
        Bench::Payload { count } => {
            let package = ["--package", "mantis-timelock-tests", "--bin", "bench-payload"];
            run(cargo().args(["run", "--release"]).args(package).args(["--", &count.to_string()]))
        }
        Bench::Web { readers, seconds } => {
            build()?;
            let numbers = [readers, seconds].map(ToString::to_string);
            run(Command::new(target_dir()?.join("release/readers")).current_dir(root()).args(numbers))
        }
        Bench::Signal { readers, rounds } => {
            build()?;
            let numbers = [readers, rounds].map(ToString::to_string);
            run(Command::new(target_dir()?.join("release/signals")).current_dir(root()).args(numbers))
        }
        Bench::Waiting { days, miners, bytes } => {
            build()?;
            let numbers = [days, miners, bytes].map(ToString::to_string);
            run(Command::new(target_dir()?.join("release/waiting")).current_dir(target_dir()?).args(numbers))
        }
        Bench::Embeddings { rows, miners, dim, params } => {
            let mut command = cargo();
            command.args(["run", "--release", "--package", "mantis-dmae", "--example", "full_size", "--"]);
            run(command.args([rows, miners, dim].map(ToString::to_string)).arg(params))
        }
        Bench::Cycle { rows, miners, new, solvers, runtimes, ledger } => {
            crate::plugins::build()?;
            let ledger = match ledger {
                Some(ledger) => ledger.clone(),
                None => {
                    let gigabytes = f64::from(*rows) * f64::from(*miners) * BYTES_EACH / 1e9;
                    eprintln!("the ledger and its histories take some {gigabytes:.0} GB");
                    simulated(*rows, *miners, None)?
                }
            };
            let mut command = Command::new(target_dir()?.join("release/cycle"));
            run(command.current_dir(root()).arg(ledger).args([&new.to_string(), solvers, runtimes]))
        }
        Bench::Score { rows, miners, only, runs, ledger, growth } => {
            build()?;
            let only = only.as_deref();
            let ledger = match ledger {
                Some(ledger) => ledger.clone(),
                None => simulated(*rows, *miners, only)?,
            };
            let whole = score(&ledger, only, *runs)?;
            if *growth {
                let fewer_rows = score(&simulated(rows / 2, *miners, only)?, only, *runs)?;
                let fewer_miners = score(&simulated(*rows, miners / 2, only)?, only, *runs)?;
                print_growth(&whole, &fewer_rows, &fewer_miners);
            }
            Ok(())
        }
        Bench::Runtime { rows, miners, only, runs, ledger, solver } => {
            crate::plugins::build()?;
            let only = only.as_deref();
            let ledger = match ledger {
                Some(ledger) => ledger.clone(),
                None => simulated(*rows, *miners, only)?,
            };
            crate::runtime::bench(&ledger, only, *runs, solver)
        }
    }
}

/// A ledger of simulated miners, made once and kept.
pub(crate) fn simulated(rows: u32, miners: u16, only: Option<&str>) -> Result<PathBuf> {
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

/// The fastest run of each mode: wall time of the whole process, and what it printed.
struct Best {
    exact: (f64, Value),
    network: (f64, Value),
}

/// Scores in both modes, alternating, so that a slow spell of the machine meets both.
fn score(ledger: &Path, only: Option<&str>, runs: u32) -> Result<Best> {
    let mut best = Best { exact: once(ledger, only, "exact")?, network: once(ledger, only, "network")? };
    for _ in 1..runs {
        for (mode, best) in [("exact", &mut best.exact), ("network", &mut best.network)] {
            let run = once(ledger, only, mode)?;
            if run.0 < best.0 {
                *best = run;
            }
        }
    }
    println!("{}: best of {}", ledger.display(), runs.max(1));
    println!("{:16} {:>10} {:>10}", "seconds", "exact", "network");
    let Best { exact: (exact_wall, exact), network: (network_wall, network) } = &best;
    for ticker in tickers(exact)? {
        let skipped =
            exact["skipped"][ticker].as_str().map_or(String::new(), |why| format!("  skipped: {why}"));
        println!("{ticker:16} {:>10.2} {:>10.2}{skipped}", seconds(exact, ticker), seconds(network, ticker));
    }
    println!("{:16} {exact_wall:>10.2} {network_wall:>10.2}", "whole process");
    let memory = |document: &Value| document["peak_rss_mb"].as_f64().unwrap_or(f64::NAN);
    println!("{:16} {:>10.0} {:>10.0}\n", "peak memory, MB", memory(exact), memory(network));
    Ok(best)
}

fn once(ledger: &Path, only: Option<&str>, mode: &str) -> Result<(f64, Value)> {
    let mut command = mantis()?;
    command.arg("score").arg("--ledger").arg(ledger).args(["--solver", mode, "--json", "--no-cache"]);
    if let Some(only) = only {
        command.args(["--only", only]);
    }
    let started = Instant::now();
    let document = serde_json::from_str(&output(&mut command)?)?;
    Ok((started.elapsed().as_secs_f64(), document))
}

/// How many times longer it takes with twice the rows, and with twice the miners.
fn print_growth(whole: &Best, fewer_rows: &Best, fewer_miners: &Best) {
    println!("{:16} {:>23} {:>23}", "growth when", "rows double", "miners double");
    println!("{:16} {:>11} {:>11} {:>11} {:>11}", "", "exact", "network", "exact", "network");
    let row = |name: &str, of: &dyn Fn(&(f64, Value)) -> f64| {
        let ratio =
            |part: &Best| [of(&whole.exact) / of(&part.exact), of(&whole.network) / of(&part.network)];
        let [a, b] = ratio(fewer_rows);
        let [c, d] = ratio(fewer_miners);
        println!("{name:16} {a:>11.2} {b:>11.2} {c:>11.2} {d:>11.2}");
    };
    for ticker in tickers(&whole.exact.1).into_iter().flatten() {
        row(ticker, &|(_, document)| seconds(document, ticker));
    }
    row("whole process", &|(wall, _)| *wall);
}
