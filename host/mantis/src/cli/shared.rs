//! Arguments that several commands take.

use clap::{Args, ValueEnum};
use mantis_config::Runtime;
use mantis_ledger::snapshot::KeptHistory;
use mantis_plugin_api::Solver;
use std::path::{Path, PathBuf};

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
    /// Lists of facts, a JSON object by name, that stand in for those of the ledger.
    #[arg(long, value_name = "FILE")]
    pub(super) facts: Option<PathBuf>,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    pub(super) scratch: Option<PathBuf>,
    #[command(flatten)]
    pub(super) cache: CacheArgs,
}

/// The histories beside the ledger, by which a second run reads only what is new.
#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    /// Read the whole ledger, and keep no histories in the folder DB.history beside it. They save time alone: the result is
    /// the same.
    #[arg(long)]
    no_cache: bool,
}

impl CacheArgs {
    /// The folder of a ledger's kept histories, if they are used.
    pub(super) fn histories(&self, ledger: &Path) -> Option<PathBuf> {
        (!self.no_cache).then(|| KeptHistory::folder(ledger))
    }
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

impl From<RuntimeArg> for Runtime {
    fn from(arg: RuntimeArg) -> Self {
        match arg {
            RuntimeArg::Native => Self::Native,
            RuntimeArg::Wasm => Self::Wasm,
        }
    }
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
