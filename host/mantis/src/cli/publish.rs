//! `mantis publish`.

use super::output::{bar, print, print_json};
use super::shared::ConfigArgs;
use super::store::{StoreArgs, bucket};
use super::wallet::WalletArgs;
use crate::publication::{PublicationSource, publish, upload};
use anyhow::Context;
use clap::Args;
use mantis_config::Config;
use mantis_validator::catch_up::MirrorSource;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis publish --ledger datalog.db --out site --wallet-name publisher\n  mantis publish --ledger datalog.db --out \
    site --wallet-name publisher \\\n    --endpoint https://ACCOUNT.r2.cloudflarestorage.com --bucket ledger --public-url https://pub-....r2.dev\n\n\
    Run it again, by a timer, to bring the place up to date: only days that are new or changed are made and\nuploaded. Others fetch from \
    .../ledger.toml; docs/publishing.md has all of it."
)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The ledger; it is only read, and may be written meanwhile.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// The folder with all that is published; it is made for the first time.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Days that are published, back from the newest one that is over; older ones are taken out. The default is what scoring
    /// looks back, and five more.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    days: Option<u32>,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Days that are published beyond those that scoring looks back: for those who were away.
const MORE: u32 = 5;

pub(super) fn run(args: &PublishArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let bucket = bucket(&args.store)?;
    let key = args.wallet.hotkey()?;
    let key = key.context("say which hotkey signs: --wallet-name and --wallet-hotkey, or --hotkey-uri")?;
    let days = args.days.unwrap_or_else(|| MirrorSource::usual_days(&config).saturating_add(MORE).min(4096));
    let source = PublicationSource { ledger: &args.ledger, config: &config, place: &args.out, days };
    let bar = bar("publishing");
    let published = publish(&source, &key, |done| bar.set_position((done * 1000.0) as u64));
    bar.finish_and_clear();
    let published = published?;
    let uploaded = match &bucket {
        Some(bucket) => Some(super::runtime()?.block_on(upload(&args.out, bucket))?),
        None => None,
    };
    let index = &published.index;
    let url = bucket.as_ref().map(|bucket| bucket.url_of("ledger.toml"));
    let waiting = index.parts.iter().filter(|part| !part.is_final).count();
    if args.json {
        return print_json(&serde_json::json!({
            "number": index.number, "publisher": index.publisher, "is_new": published.is_new, "parts": index.parts.len(),
            "not_final": waiting, "made": published.made, "made_bytes": published.made_bytes, "uploaded": uploaded,
            "first_block": index.parts.first().map(|part| part.first), "last_block": index.parts.last().map(|part| part.last),
            "folder": args.out, "url": url,
        }));
    }
    let place = url.unwrap_or_else(|| args.out.join("ledger.toml").display().to_string());
    let mut said = if published.is_new {
        format!(
            "{place}: list {}, {} parts, {} of them new or changed ({} bytes)\n",
            index.number,
            index.parts.len(),
            published.made.len(),
            published.made_bytes
        )
    } else {
        format!("{place}: nothing is new; list {} has {} parts\n", index.number, index.parts.len())
    };
    if waiting > 0 {
        said +=
            &format!("{waiting} parts have payloads that wait to be opened, and come again when they are\n");
    }
    if let Some(uploaded) = uploaded {
        said += &format!("{uploaded} files are uploaded\n");
    }
    print(&said)
}
