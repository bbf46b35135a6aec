//! What the command line takes.

use super::payload::PayloadCommand;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mantis_plugin_api::Solver;
use std::path::PathBuf;

/// A validator for MANTIS: scores miners' forecasts by plugins that challenges.toml names, and sets the weights.
#[derive(Debug, Parser)]
#[command(name = "mantis", version, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Simulate a few weeks of miners, score them, and show who earned what and why.
    Demo(DemoArgs),
    /// Score a ledger: the salience of every miner, per challenge and in total.
    Score(ScoreArgs),
    /// Turn saliences into the weights of the metagraph's UIDs.
    Weights(WeightsArgs),
    /// Show what one miner earns, challenge by challenge, and why.
    Explain(ExplainArgs),
    /// List the challenges: plugins, versions, digests, weights, shares.
    Challenges(ChallengesArgs),
    /// Work with challenges.toml.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Seal and open payloads.
    Payload {
        #[command(subcommand)]
        command: PayloadCommand,
    },
    /// Show what the validator would store of a miner's embeddings, and every fault in them.
    Check(super::check::CheckArgs),
    /// Write a ledger of simulated miners.
    Simulate(SimulateArgs),
    /// Serve one job of the host's; not for people.
    #[command(hide = true)]
    Worker,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Find every fault: file, line, key, and what is allowed.
    Check(CheckArgs),
}

/// Which configuration.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "challenges.toml")]
    pub(super) config: PathBuf,
}

/// How to score.
#[derive(Debug, Args)]
pub(super) struct ScoringArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The ledger; it is only read.
    #[arg(long, value_name = "DB")]
    pub(super) ledger: PathBuf,
    /// Score rows up to this block; the default is the ledger's last.
    #[arg(long, value_name = "BLOCK")]
    pub(super) max_block: Option<i64>,
    /// Score these tickers only.
    #[arg(long, value_name = "TICKER,..", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// The registered hotkeys: a JSON list, or one per line. The default is every stored one.
    #[arg(long, value_name = "FILE")]
    pub(super) active: Option<PathBuf>,
    /// Where model fits stop; the default is what the configuration says.
    #[arg(long)]
    pub(super) solver: Option<SolverArg>,
    /// What plugins run in; the default is what the configuration says.
    #[arg(long)]
    pub(super) runtime: Option<RuntimeArg>,
    /// Challenges scored at the same time; the default is one per processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Seconds that one challenge may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800.0, value_parser = positive)]
    pub(super) deadline: f64,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    pub(super) scratch: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis score --ledger datalog.db --only ETH,CADUSD --json")]
pub(super) struct ScoreArgs {
    #[command(flatten)]
    pub(super) scoring: ScoringArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis weights --input salience.json --json\n\nThe input:\n  {\"salience\": \
    {\"<hotkey>\": 0.7}, \"metagraph\": [{\"uid\": 0, \"hotkey\": \"<hotkey>\"}],\n   \"first_block\": {\"<hotkey>\": \
    6900000}, \"block\": 7000000, \"previous\": null}"
)]
pub(super) struct WeightsArgs {
    /// Saliences, metagraph, first blocks, block and previous weights as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) input: PathBuf,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis explain 5F3sa2TJ... --ledger datalog.db")]
pub(super) struct ExplainArgs {
    /// The miner's hotkey, or the beginning of it.
    pub(super) hotkey: String,
    #[command(flatten)]
    pub(super) scoring: ScoringArgs,
    /// The metagraph: a JSON list of {"uid", "hotkey"}. Without it, every stored hotkey counts as registered.
    #[arg(long, value_name = "FILE")]
    pub(super) metagraph: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis challenges --json")]
pub(super) struct ChallengesArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis config check challenges.toml")]
pub(super) struct CheckArgs {
    /// The configuration; the same as --config.
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis demo --seed 7")]
pub(super) struct DemoArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Simulated days.
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub(super) days: u32,
    /// The same seed gives the same ledger.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Folder for the ledger.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(super) dir: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

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

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SolverArg {
    /// At the optimum.
    Exact,
    /// Where the network's scorer stops.
    Network,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RuntimeArg {
    /// Shared libraries.
    Native,
    /// WebAssembly components.
    Wasm,
}

impl From<SolverArg> for Solver {
    fn from(arg: SolverArg) -> Self {
        match arg {
            SolverArg::Exact => Self::Exact,
            SolverArg::Network => Self::Network,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if seconds.is_finite() && seconds > 0.0 && seconds < 1e9 {
        Ok(seconds)
    } else {
        Err("must be above 0".into())
    }
}
