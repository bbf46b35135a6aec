//! `mantis miner`.

use super::checker::Checker;
use super::output::{complain, print, print_json};
use super::score::launcher;
use super::shared::{ConfigArgs, positive};
use super::store::StoreArgs;
use super::store::bucket;
use super::wallet::WalletArgs;
use crate::miner::{Checks, Embeddings, Sealer, Uploader};
use anyhow::Context;
use clap::Args;
use mantis_config::Config;
use mantis_network::chain;
use mantis_network::collect::Collector;
use mantis_network::wallet::check_address;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

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
    /// A JSON file, or a command that writes such JSON to its standard output; read or run again each round.
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
    /// Seconds until a payload can be opened; `suggested_lock` of the configuration if not given.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub(super) lock_seconds: Option<u64>,
    /// Seconds that the command may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 45.0, value_parser = positive)]
    pub(super) command_timeout: f64,
    /// Upload also what validators would not store as it is, to any URL, and do not read it back.
    #[arg(long)]
    pub(super) force: bool,
    /// Print one JSON document per round.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &MinerArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let bucket =
        bucket(&args.store)?.context("say where to upload: --endpoint, --bucket and --public-url")?;
    let signer = args.wallet.signer(args.hotkey.as_deref())?;
    let hotkey =
        signer.address().context("say which hotkey: --hotkey, --wallet-name or --hotkey-uri")?.to_owned();
    if !args.force {
        check_address(&hotkey).map_err(|fault| anyhow::anyhow!("{fault}; or use --force"))?;
    }
    anyhow::ensure!(
        !args.commit || args.network.starts_with("offline:") || matches!(signer, chain::Signer::Key(_)),
        "--commit signs on {}: name the key with --wallet-name and --wallet-hotkey, or --hotkey-uri",
        args.network
    );
    let chain = chain::open(&args.network, chain::ChainSettings::from_config(&config), signer)?;
    let seal = Sealer::new(&config)?;
    let checker = Checker { config: &config, launcher: launcher(60.0)? };
    let mut miner = Uploader {
        hotkey,
        embeddings: Embeddings::from_argument(
            &args.embeddings,
            Duration::from_secs_f64(args.command_timeout),
        ),
        lock_seconds: args.lock_seconds.unwrap_or(config.network.suggested_lock.into()),
        seal: &seal,
        bucket,
        commit: args.commit.then(|| (&*chain, (&config.collect).into())),
        checks: if args.force {
            None
        } else {
            let readers = Collector::new(&config.collect)?;
            Some(Checks { plaintext: &checker, rules: (&config.collect).into(), readers })
        },
    };
    super::runtime()?.block_on(async {
        let mut ticks = tokio::time::interval(Duration::from_secs_f64(args.every));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let outcome = round(&miner, args.json).await;
            if args.once {
                return outcome;
            }
            match outcome {
                // The URL is on the chain, and stays.
                Ok(()) => miner.commit = None,
                // The next round may do better.
                Err(error) => complain(&format!("warning: {error:#}")),
            }
        }
    })
}

async fn round(miner: &Uploader<'_>, json: bool) -> anyhow::Result<()> {
    let done = miner.once().await?;
    for warning in &done.warnings {
        complain(&format!("warning: {warning}"));
    }
    if json {
        return print_json(&serde_json::json!({
            "url": done.url, "bytes": done.bytes, "opens": done.opens, "committed": done.committed,
        }));
    }
    let committed = if done.committed { ", committed on the chain" } else { "" };
    print(&format!("{}: {} bytes, opens at Unix time {}{committed}\n", done.url, done.bytes, done.opens))
}
