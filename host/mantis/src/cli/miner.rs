//! `mantis miner`.

use super::args::MinerArgs;
use super::output::{print, print_json};
use super::store::bucket;
use crate::miner::{Embeddings, Miner, Sealer};
use anyhow::Context;
use mantis_config::Config;
use mantis_network::chain;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

pub(super) fn run(args: &MinerArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let bucket =
        bucket(&args.store)?.context("say where to upload: --endpoint, --bucket and --public-url")?;
    let signer = args.wallet.signer(args.hotkey.as_deref())?;
    let hotkey =
        signer.address().context("say which hotkey: --hotkey, --wallet-name or --hotkey-uri")?.to_owned();
    anyhow::ensure!(
        !args.commit || args.network.starts_with("offline:") || matches!(signer, chain::Signer::Key(_)),
        "--commit signs on {}: name the key with --wallet-name and --wallet-hotkey, or --hotkey-uri",
        args.network
    );
    let chain = chain::open(&args.network, chain::Settings::of(&config), signer)?;
    let seal = Sealer::new(&config)?;
    let mut miner = Miner {
        hotkey,
        embeddings: Embeddings::of(&args.embeddings, Duration::from_secs_f64(args.command_timeout)),
        lock_seconds: args.lock_seconds,
        seal: &seal,
        bucket,
        commit: args.commit.then(|| (&*chain, (&config.collect).into())),
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
                Err(error) => eprintln!("warning: {error:#}"),
            }
        }
    })
}

async fn round(miner: &Miner<'_>, json: bool) -> anyhow::Result<()> {
    let done = miner.once().await?;
    if json {
        return print_json(&serde_json::json!({
            "url": done.url, "bytes": done.bytes, "opens": done.opens, "committed": done.committed,
        }));
    }
    let committed = if done.committed { ", committed on the chain" } else { "" };
    print(&format!("{}: {} bytes, opens at Unix time {}{committed}\n", done.url, done.bytes, done.opens))
}
