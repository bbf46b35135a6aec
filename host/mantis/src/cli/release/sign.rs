//! `mantis release sign` and `mantis release publish`.

use crate::cli::output::{print, print_json};
use crate::cli::store::{StoreArgs, bucket};
use crate::cli::wallet::WalletArgs;
use anyhow::Context;
use clap::Args;
use mantis_network::wallet::Hotkey;
use mantis_release::signature::{Signed, to_file};
use mantis_release::{Folder, MANIFEST, SIGNATURE_SUFFIX};
use std::fs;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis release sign release-14 --wallet-name owner --wallet-hotkey default"
)]
pub(in crate::cli) struct SignArgs {
    /// The release, a folder.
    release: PathBuf,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis release publish release-14 --to site --wallet-name owner\n  mantis release publish release-14 --to site \
    --wallet-name owner \\\n    --endpoint https://ACCOUNT.r2.cloudflarestorage.com --bucket releases --public-url https://pub-....r2.dev\n\n\
    The list in the folder is signed anew, and validators are given its URL: .../index.toml."
)]
pub(in crate::cli) struct PublishArgs {
    /// The signed release, a folder.
    release: PathBuf,
    /// The folder with all that is published, to which it is added; it is made for the first one.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn sign(args: &SignArgs) -> anyhow::Result<()> {
    let folder = Folder::verify(&args.release).with_context(|| args.release.display().to_string())?;
    folder.config()?;
    let key = key(&args.wallet)?;
    let signature = key.sign_message(&Signed::Release.message(&folder.manifest));
    let file = folder.path.join(format!("{MANIFEST}{SIGNATURE_SUFFIX}"));
    fs::write(&file, to_file(&signature)).with_context(|| format!("cannot write {}", file.display()))?;
    let number = folder.release.number;
    if args.json {
        return print_json(
            &serde_json::json!({ "number": number, "signed_by": key.address(), "file": file }),
        );
    }
    print(&format!("{}: release {number} is signed by {}\n", file.display(), key.address()))
}

pub(super) fn publish(args: &PublishArgs) -> anyhow::Result<()> {
    let bucket = bucket(&args.store)?;
    let key = key(&args.wallet)?;
    let published = crate::release::publish(&args.release, &args.to, &key)?;
    if let Some(bucket) = &bucket {
        crate::cli::runtime()?.block_on(published.upload(&args.to, bucket))?;
    }
    let url = bucket.map(|bucket| bucket.url_of("index.toml"));
    if args.json {
        return print_json(&serde_json::json!({
            "number": published.number, "files": published.files, "folder": args.to, "url": url,
        }));
    }
    let place = url.unwrap_or_else(|| format!("{}/index.toml", args.to.display()));
    print(&format!("{place}: release {}, {} files\n", published.number, published.files.len()))
}

fn key(wallet: &WalletArgs) -> anyhow::Result<Hotkey> {
    wallet.hotkey()?.context("say which hotkey signs: --wallet-name and --wallet-hotkey, or --hotkey-uri")
}
