//! `mantis plugin test`.

use super::output::{Table, print, print_json};
use super::score::launcher;
use super::shared::SolverArg;
use crate::authoring::{Bars, Plan, Recorded, Report, Verdict, conform};
use anyhow::{Context, bail, ensure};
use clap::Args;
use mantis_config::Config;
use mantis_ledger::Ledger;
use mantis_plugin_api::ParamMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis plugin test plugins/mantis_my_momentum.wasm --config my-momentum/challenge.toml\n  \
    mantis plugin test plugins/mantis_other.wasm --dim 2 --blocks-ahead 300 --params '{\"top\": 5}'\n\nThe other form of the \
    plugin is compared where it lies in the same folder."
)]
pub(super) struct TestArgs {
    /// The plugin's file, of either form.
    path: PathBuf,
    /// Take the challenge from a configuration: that of --ticker, else the first one of this plugin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dim", "assets", "blocks_ahead"])]
    config: Option<PathBuf>,
    /// The challenge in the configuration.
    #[arg(long, requires = "config")]
    ticker: Option<String>,
    /// Numbers per miner and asset.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    dim: u32,
    /// Assets; without them it is a challenge of one price.
    #[arg(long, value_name = "ASSET,..", value_delimiter = ',')]
    assets: Vec<String>,
    /// The horizon in blocks, a multiple of 5.
    #[arg(long, value_name = "BLOCKS", default_value_t = 300)]
    blocks_ahead: u32,
    /// Parameters, a JSON object, instead of the configuration's.
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// Scored rows of the simulated ledger; the default is more and more, until somebody is paid.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=200_000))]
    rows: Option<u32>,
    /// Score miners and market of this ledger in place of simulated ones: the twelve who sent most, and beside them some who
    /// know nothing.
    #[arg(long, value_name = "DB", requires = "config", conflicts_with = "rows")]
    ledger: Option<PathBuf>,
    /// The same seed gives the same ledger.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where model fits stop.
    #[arg(long, default_value = "exact")]
    solver: SolverArg,
    /// Fail where 2 or 5 copies of a miner earn more than so many times what it earns alone; else this is a note.
    #[arg(long, value_name = "TIMES")]
    max_clones: Option<f64>,
    /// Fail where noise earns more than this part of what skill earns; else this is a note.
    #[arg(long, value_name = "PART")]
    max_noise: Option<f64>,
    /// One answer for ever may be paid: it is a bet here.
    #[arg(long)]
    allow_constant: bool,
    /// Seconds that one score may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    deadline: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let config = config(args)?;
    let recorded = match &args.ledger {
        Some(path) => {
            let folder = tempfile::Builder::new().prefix("mantis-conform-").tempdir()?;
            Some(Recorded::read(&config, &Ledger::read(path)?, folder.path())?)
        }
        None => None,
    };
    let plan = Plan {
        path: args.path.clone(),
        config,
        recorded,
        rows: args.rows.map(|rows| rows as usize),
        seed: args.seed,
        solver: args.solver.into(),
        bars: Bars { clones: args.max_clones, noise: args.max_noise, allow_constant: args.allow_constant },
        launcher: launcher(f64::from(args.deadline))?,
        scratch: std::env::temp_dir(),
    };
    let bar = super::output::bar("loading");
    let report = conform(&plan, |part| bar.set_message(part.to_owned()))?;
    bar.finish_and_clear();
    if args.json {
        print_json(&report)?;
    } else {
        print(&text(&report))?;
    }
    let failed: Vec<&str> = report.failed().map(|check| check.name).collect();
    ensure!(failed.is_empty(), "{} does not conform: {}", args.path.display(), failed.join(", "));
    Ok(())
}

/// A configuration with the one challenge that is tried.
fn config(args: &TestArgs) -> anyhow::Result<Config> {
    let mut config = match &args.config {
        Some(file) => chosen(Config::load(file)?, args)?,
        None => Config::parse(&stanza(args), Path::new("(command line)"))?,
    };
    config.challenges.truncate(1);
    if args.ledger.is_none() {
        // Simulated prices are the challenge's own.
        config.challenges.iter_mut().for_each(|challenge| challenge.prices_from = None);
    }
    if let Some(json) = &args.params {
        let params: ParamMap = serde_json::from_str(json).context("--params: expected a JSON object")?;
        config.challenges.iter_mut().for_each(|challenge| challenge.params = params.clone());
    }
    Ok(config)
}

/// The configuration, with the wanted challenge first.
fn chosen(mut config: Config, args: &TestArgs) -> anyhow::Result<Config> {
    let name = plugin_name(&args.path);
    let is_wanted = |challenge: &mantis_config::Challenge| match &args.ticker {
        Some(ticker) => challenge.ticker == *ticker,
        None => challenge.plugin.replace('-', "_") == name,
    };
    let Some(place) = config.challenges.iter().position(is_wanted) else {
        let wanted = args
            .ticker
            .as_ref()
            .map_or(format!("of plugin {name}"), |ticker| format!("with ticker {ticker}"));
        bail!("{}: no challenge {wanted}; name one with --ticker", config.file.display());
    };
    config.challenges.swap(0, place);
    Ok(config)
}

/// A plugin's name, as it stands in its file's: `mantis_NAME.wasm`, `libmantis_NAME.so`.
fn plugin_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_prefix("lib").unwrap_or(&stem);
    stem.strip_prefix("mantis_").unwrap_or(stem).to_owned()
}

/// A challenge as the command line describes it.
fn stanza(args: &TestArgs) -> String {
    let mut text = format!(
        "[[challenge]]\nname = \"TEST\"\nticker = \"TEST\"\nplugin = \"test\"\ndim = {}\nblocks_ahead = {}\nweight = 1.0\n",
        args.dim, args.blocks_ahead
    );
    let prices = match args.assets.as_slice() {
        [] => "price_key = \"ETH\"".to_owned(),
        assets => format!("assets = {}", serde_json::json!(assets)),
    };
    let _ = writeln!(text, "{prices}");
    text
}

fn text(report: &Report) -> String {
    let mut table = Table::new(["check", "", ""]);
    for check in &report.checks {
        let verdict = match check.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Note => "note",
            Verdict::Skip => "skip",
        };
        table.row([check.name.into(), verdict.into(), check.says.clone()]);
    }
    table.render()
}
