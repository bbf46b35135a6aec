//! `mantis agree`.

use super::agreement::text;
use super::output::{print, print_json};
use super::shared::ConfigArgs;
use anyhow::Context;
use clap::Args;
use mantis_config::{Config, Network};
use mantis_ledger::Ledger;
use mantis_network::chain::{self, ChainSettings, EpochState, Signer};
use mantis_validator::agreement::agreement;
use std::path::{Path, PathBuf};

/// Miners that are listed where nobody says how many.
const MINERS: usize = 20;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis agree --network finney --ledger datalog.db --hotkey 5F3sa2TJ...\n  mantis agree --network finney \
    --ledger datalog.db --json\n\nIt opens no wallet, sends nothing, and needs no validator that runs: the ledger of a dry run will do. With \
    --hotkey, it says what that validator would earn if it set these weights now.\nDistances are sums of differences between rows that \
    each sum to 1: 0 is the same, 2 has nothing in common."
)]
pub(super) struct AgreeArgs {
    /// The chain: finney, test, local, URLs of nodes with commas between them, or offline:PATH for one in a file.
    #[arg(long, value_name = "NETWORK")]
    network: String,
    /// The ledger whose newest weights are compared; it is only read.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    /// The subnet; the default is the configuration's.
    #[arg(long, value_name = "N")]
    netuid: Option<u16>,
    /// The hotkey whose row on the chain, stake and earnings are looked at; nothing of it but the address is needed.
    #[arg(long, value_name = "SS58")]
    hotkey: Option<String>,
    /// List so many miners; the default is 20, or all with --json.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &AgreeArgs) -> anyhow::Result<()> {
    let ledger = Ledger::read(&args.ledger)?;
    let network = network(args)?;
    let runtime = super::runtime()?;
    let state = runtime.block_on(state(&args.network, &network));
    // What was given up is not waited for.
    runtime.shutdown_background();
    let mut agreement = agreement(&state?, &ledger, &network, args.hotkey.as_deref())?;
    let miners = agreement.miners.len();
    agreement.miners.truncate(args.limit.unwrap_or(if args.json { miners } else { MINERS }));
    if args.json { print_json(&agreement) } else { print(&text(&agreement, miners)) }
}

/// The constants of the subnet: the configuration's, or the network's where the default configuration is not there.
fn network(args: &AgreeArgs) -> anyhow::Result<Network> {
    let file = &args.config.config;
    let mut network = if file.as_os_str() == "challenges.toml" && !file.exists() {
        Network::default()
    } else {
        Config::load(file)?.network
    };
    network.netuid = args.netuid.unwrap_or(network.netuid);
    Ok(network)
}

async fn state(name: &str, network: &Network) -> anyhow::Result<EpochState> {
    if let Some(path) = name.strip_prefix("offline:") {
        // Opening it would make it.
        anyhow::ensure!(Path::new(path).exists(), "there is no chain in the file {path}; check --network");
    }
    let chain = chain::open(name, ChainSettings::from_network(network), Signer::ReadOnly)?;
    chain.epoch_state().await.context("what validators' weights are on the chain is not known")
}
