//! `mantis feed`.

use super::output::{complain, print, print_json};
use super::shared::{ConfigArgs, positive};
use super::store::StoreArgs;
use super::store::bucket;
use anyhow::Context;
use clap::Args;
use mantis_config::Config;
use mantis_network::bucket::Bucket;
use mantis_network::market::{Polled, Poller, Source, default_sources, load_sources};
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::NamedTempFile;

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

/// Where the document goes.
enum Target<'a> {
    File(&'a Path),
    Bucket(&'a Bucket, &'a str),
}

pub(super) fn run(args: &FeedArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let sources = match &args.sources {
        Some(path) => load_sources(path, &config)?,
        None => default_sources(&config),
    };
    let bucket = bucket(&args.store)?;
    let target = match (&args.out, &bucket) {
        (Some(path), None) => Target::File(path),
        (None, Some(bucket)) => Target::Bucket(bucket, &args.key),
        _ => {
            anyhow::bail!("say where the document goes: --out FILE, or --endpoint, --bucket and --public-url")
        }
    };
    let poller = Poller::new(Duration::from_secs_f64(args.timeout))?;
    let every = Duration::from_secs_f64(args.every);
    super::runtime()?.block_on(async {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let outcome = publish(&poller, &sources, &target, args.json).await;
            if args.once {
                return outcome;
            }
            // The old document stays in its place; the next round may do better.
            if let Err(error) = outcome {
                complain(&format!("warning: {error:#}"));
            }
        }
    })
}

async fn publish(poller: &Poller, sources: &[Source], target: &Target<'_>, json: bool) -> anyhow::Result<()> {
    let Polled { quotes, warnings } = poller.poll(sources).await;
    for warning in &warnings {
        complain(&format!("warning: {warning}"));
    }
    let (prices, rates) = (quotes.prices.len(), quotes.funding_rates.len());
    anyhow::ensure!(prices + rates > 0, "no source gave a number, nothing is published");
    let document = serde_json::to_vec(&quotes)?;
    let place = match target {
        Target::File(path) => {
            replace(path, &document).with_context(|| format!("cannot write {}", path.display()))?;
            path.display().to_string()
        }
        Target::Bucket(bucket, key) => {
            bucket.put(key, document).await?;
            bucket.url_of(key)
        }
    };
    if json {
        let done = serde_json::json!({ "document": place, "prices": prices, "funding_rates": rates, "warnings": warnings });
        return print_json(&done);
    }
    print(&format!("{place}: {prices} prices, {rates} funding rates\n"))
}

/// A reader sees the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    readable(file.as_file())?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are their owner's alone; a feed is for everyone.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
