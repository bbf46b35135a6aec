//! `mantis simulate`.

use super::output::{bar, print};
use super::shared::ConfigArgs;
use crate::simulation::{SimulatedMiner, Simulation, cast, simulate};
use anyhow::{bail, ensure};
use clap::Args;
use mantis_config::Config;
use mantis_ledger::Ledger;
use std::path::Path;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis simulate --out sim.db --rows 14000 --miners 16 --only ETH,CADUSD")]
pub(super) struct SimulateArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The ledger to write; there must be no such file yet.
    #[arg(long, value_name = "DB")]
    pub(super) out: PathBuf,
    /// Rows, one a minute.
    #[arg(long, default_value_t = 30_240, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) rows: u32,
    /// Miners.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) miners: u16,
    /// Simulate these tickers only.
    #[arg(long, value_name = "TICKER,..", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// The same seed gives the same ledger.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let known = |ticker: &String| config.challenges.iter().any(|c| c.ticker == *ticker);
    if let Some(unknown) = args.only.iter().find(|ticker| !known(ticker)) {
        bail!("--only {unknown}: no such ticker in {}", config.file.display());
    }
    let simulation = Simulation {
        config: &config,
        only: (!args.only.is_empty()).then(|| args.only.iter().cloned().collect()),
        rows: args.rows as usize,
        miners: &cast(usize::from(args.miners), args.seed),
        seed: args.seed,
    };
    write(&simulation, &args.out)?;
    print(&format!("{}: {} rows, {} miners\n", args.out.display(), args.rows, args.miners))
}

/// Writes a new ledger, with a progress bar.
pub(super) fn write(simulation: &Simulation<'_>, out: &Path) -> anyhow::Result<()> {
    ensure!(!out.exists(), "{} is there already; remove it or choose another file", out.display());
    let mut ledger = Ledger::open(out)?;
    ledger.keep_layout(simulation.config)?;
    let bar = bar("simulating");
    simulate(simulation, &mut ledger, |done| bar.set_position((done * 1000.0) as u64))?;
    bar.finish_and_clear();
    Ok(())
}

/// What is known of a simulated miner.
pub(super) fn about<'a>(miners: &'a [SimulatedMiner], hotkey: &str) -> &'a str {
    miners.iter().find(|miner| miner.hotkey == hotkey).map_or("", |miner| &miner.about)
}
