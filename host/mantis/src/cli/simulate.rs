//! `mantis simulate`.

use super::args::SimulateArgs;
use super::output::{bar, print};
use crate::simulation::{Miner, Simulation, cast, simulate};
use anyhow::{bail, ensure};
use mantis_config::Config;
use mantis_ledger::Ledger;
use std::path::Path;

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
    let bar = bar("simulating");
    simulate(simulation, &mut ledger, |done| bar.set_position((done * 1000.0) as u64))?;
    bar.finish_and_clear();
    Ok(())
}

/// What is known of a simulated miner.
pub(super) fn about<'a>(miners: &'a [Miner], hotkey: &str) -> &'a str {
    miners.iter().find(|miner| miner.hotkey == hotkey).map_or("", |miner| &miner.about)
}
