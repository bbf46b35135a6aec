//! What the command line takes.

use super::payload::PayloadCommand;
use super::plugin::PluginCommand;
use super::wallet::WalletArgs;
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
    /// Look for what is wrong around a validator, and say what to do about it.
    Doctor(Box<super::doctor::DoctorArgs>),
    /// Write a ledger's tables to Parquet or CSV files.
    Export(super::export::ExportArgs),
    /// Publish the market feed: ask sources for prices and funding rates, upload what they say.
    Feed(FeedArgs),
    /// Mine: seal embeddings, upload them, commit their URL.
    Miner(MinerArgs),
    /// Seal and open payloads.
    Payload {
        #[command(subcommand)]
        command: PayloadCommand,
    },
    /// For authors of challenges: make a plugin, build it, look into its file, try it out.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Show what the validator would store of a miner's embeddings, and every fault in them.
    Check(super::check::CheckArgs),
    /// Validate: sample blocks, open payloads, compute weights and set them, for as long as it runs.
    Validator(Box<super::validator::ValidatorArgs>),
    /// Look at a ledger: its validator's dashboard, without the validator.
    Dashboard(super::listen::DashboardArgs),
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
#[command(
    after_help = "Examples:\n  mantis score --ledger datalog.db --only ETH,CADUSD --json\n  mantis score --ledger \
    datalog.db --report out.html"
)]
pub(super) struct ScoreArgs {
    #[command(flatten)]
    pub(super) scoring: ScoringArgs,
    /// Also write a page for people: one HTML file with every miner, every challenge, and why each weight is what it is.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
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
    /// Simulated days that are written at once, before the live part.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(0..=400))]
    pub(super) days: u32,
    /// Simulated minutes, one sampled block each, in which payloads are sealed, uploaded, collected and opened.
    #[arg(long, value_name = "N", default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) minutes: u32,
    /// The same seed gives the same ledger.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Folder for the ledger and the report; a demo that was cut short goes on there.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(super) dir: PathBuf,
    #[command(flatten)]
    pub(super) listen: super::listen::ListenArgs,
    /// Go on serving the dashboard when all is played, until Ctrl-C; the default on a terminal.
    #[arg(long, conflicts_with = "json")]
    pub(super) stay: bool,
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

/// Where files are uploaded. The access key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The storage service, such as https://ACCOUNT.r2.cloudflarestorage.com.
    #[arg(long, value_name = "URL", requires_all = ["bucket", "public_url"])]
    pub(super) endpoint: Option<String>,
    /// The bucket.
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    pub(super) bucket: Option<String>,
    /// Base of the URLs under which everyone reads the bucket's files, such as https://pub-....r2.dev.
    #[arg(long, value_name = "URL", requires = "endpoint")]
    pub(super) public_url: Option<String>,
    /// The bucket's region.
    #[arg(long, default_value = "auto")]
    pub(super) region: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis feed --out prices.json --once\n  mantis feed --sources feed.toml --endpoint \
    https://ACCOUNT.r2.cloudflarestorage.com --bucket prices --public-url https://pub-....r2.dev\n\nA file of sources:\n  \
    [[feed.source]]\n  preset = \"okx-funding\"\n\nWithout one, the sources are polygon-crypto, polygon-forex (key in \
    POLYGON_API_KEY),\nokx-funding and, for what that lacks, hyperliquid-funding. docs/configuration.md says more."
)]
pub(super) struct FeedArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The sources; the default is a preset for each market.
    #[arg(long, value_name = "FILE")]
    pub(super) sources: Option<PathBuf>,
    /// Write the document to a file instead of uploading it.
    #[arg(long, value_name = "FILE", conflicts_with = "endpoint")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// Name of the document in the bucket.
    #[arg(long, value_name = "NAME", default_value = "prices.json")]
    pub(super) key: String,
    /// Publish once, then end.
    #[arg(long)]
    pub(super) once: bool,
    /// Seconds from one round to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = positive)]
    pub(super) every: f64,
    /// Seconds that a source may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = positive)]
    pub(super) timeout: f64,
    /// Print one JSON document per round.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis miner --network finney --wallet-name mine --wallet-hotkey default --embeddings 'python predict.py' \\\n    \
    --endpoint https://ACCOUNT.r2.cloudflarestorage.com --bucket mantis --public-url https://pub-....r2.dev --commit\n\nThe \
    embeddings are a JSON object of ticker or challenge name to numbers: {\"ETH\": [0.1, -0.2]}.\n`mantis check FILE` says \
    what a validator would store of it."
)]
pub(super) struct MinerArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The chain: finney, test, local, URLs of nodes with commas between them, or offline:PATH for one in a file.
    #[arg(long, value_name = "NETWORK")]
    pub(super) network: String,
    /// The miner's hotkey; not needed where its wallet is named.
    #[arg(long, value_name = "SS58", required_unless_present_any = ["hotkey_uri", "wallet_name"])]
    pub(super) hotkey: Option<String>,
    #[command(flatten)]
    pub(super) wallet: WalletArgs,
    /// A JSON file, or a command that writes such JSON to its standard output; read or run anew each round.
    #[arg(long, value_name = "CMD_OR_FILE")]
    pub(super) embeddings: String,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// Commit the URL of the payload on the chain, where it has another.
    #[arg(long)]
    pub(super) commit: bool,
    /// Do one round, then end.
    #[arg(long)]
    pub(super) once: bool,
    /// Seconds from one round to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = positive)]
    pub(super) every: f64,
    /// Seconds until a payload can be opened.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(super) lock_seconds: u64,
    /// Seconds that the command may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 45.0, value_parser = positive)]
    pub(super) command_timeout: f64,
    /// Print one JSON document per round.
    #[arg(long)]
    pub(super) json: bool,
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

pub(super) fn positive(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if seconds.is_finite() && seconds > 0.0 && seconds < 1e9 {
        Ok(seconds)
    } else {
        Err("must be above 0".into())
    }
}
