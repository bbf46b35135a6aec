//! `mantis ledger fetch`.

use crate::cli::output::{bar, complain, print, print_json};
use crate::cli::shared::ConfigArgs;
use anyhow::{Context, bail, ensure};
use clap::Args;
use mantis_config::{Block, Config};
use mantis_ledger::published::{Disagreement, Merged};
use mantis_ledger::{Ledger, Lock};
use mantis_network::chain::BLOCK_SECONDS;
use mantis_network::ledger_mirror::Patience;
use mantis_validator::catch_up::{CaughtUp, MirrorSource, Published, Told};
use mantis_validator::unix;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis ledger fetch --ledger datalog.db --publisher 5F3sa2TJ... \\\n    --from https://pub-a.r2.dev/ledger.toml \
    --from https://mirror.example/ledger.toml\n  mantis ledger fetch --ledger datalog.db          # as [mirrors] of challenges.toml says\n\n\
    Only days are fetched of which something is missing; rows of blocks that were sampled here stay as they\nare. End the validator \
    first. What breaks off goes on when it is started again."
)]
pub(in crate::cli) struct FetchArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The ledger; it is made where it does not exist.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// Where the list of parts lies at a mirror, ledger.toml; give it again for another mirror.
    #[arg(long, value_name = "URL")]
    from: Vec<String>,
    /// The hotkey of who publishes it.
    #[arg(long, value_name = "SS58")]
    publisher: Option<String>,
    /// Days back from the newest part; the default is what scoring looks back.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    days: Option<u32>,
    /// Fetch days of which nothing is missing, too, and say which of their rows differ.
    #[arg(long)]
    all: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &FetchArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let source = source(args, &config)?;
    let mut lock = Lock::take(&args.ledger)?;
    // A file that is no ledger is left alone, and none is made before there is something to put into it.
    let is_there = args.ledger.exists();
    let seen = match is_there {
        true => {
            let ledger = Ledger::read(&args.ledger)?;
            ledger.check_layout(&config)?;
            ledger.seen_list(&source.publisher)?
        }
        false => None,
    };
    let runtime = crate::cli::runtime()?;
    let newest = Block(i64::try_from(unix() / BLOCK_SECONDS).unwrap_or(i64::MAX));
    let published = runtime.block_on(Published::find(&source, &config, seen, newest))?;
    for refused in &published.refused {
        complain(&format!("passed over: {refused}"));
    }
    let mut ledger = Ledger::open(&args.ledger)?;
    lock.hold()?;
    if !is_there {
        ledger.keep_layout(&config)?;
    }
    let (bar, mut parts, mut done) = (bar("fetching"), 0, 0);
    let caught = runtime.block_on(published.catch_up(&mut ledger, &config, |told| match told {
        Told::Wanted { parts: wanted, .. } => parts = wanted,
        Told::Merged { .. } => {
            done += 1;
            bar.set_position(1000 * done / parts.max(1) as u64);
        }
        Told::Failed(failed) => {
            bar.suspend(|| complain(&format!("day {}: {}", failed.day, failed.reasons.join("; "))));
        }
    }))?;
    bar.finish_and_clear();
    runtime.shutdown_background();
    if args.json {
        print_json(&document(&published, &caught))?;
    } else {
        print(&said(args, &published, &caught))?;
    }
    let failed = caught.failed.len();
    ensure!(
        failed == 0,
        "{failed} of {parts} parts are missing: start again to go on, or name another mirror with --from"
    );
    if let Some(fault) = &caught.facts_fault {
        bail!("the facts are missing: {fault}");
    }
    Ok(())
}

fn source(args: &FetchArgs, config: &Config) -> anyhow::Result<MirrorSource> {
    let configured = config.mirrors.as_ref().map(|mirrors| MirrorSource::from_config(config, mirrors));
    let urls = match (&args.from[..], &configured) {
        ([], Some(configured)) => configured.urls.clone(),
        ([], None) => bail!("say where to fetch from: --from, or [mirrors] in {}", config.file.display()),
        (from, _) => from.to_vec(),
    };
    let publisher =
        args.publisher.clone().or_else(|| configured.as_ref().map(|source| source.publisher.clone()));
    let publisher = publisher.with_context(|| {
        format!("say whose list is to be believed: --publisher, or [mirrors] in {}", config.file.display())
    })?;
    let days = args.days.or_else(|| configured.map(|source| source.days));
    let days = days.unwrap_or_else(|| MirrorSource::usual_days(config));
    Ok(MirrorSource { urls, publisher, days, all: args.all, patience: Patience::default() })
}

fn document(published: &Published, caught: &CaughtUp) -> serde_json::Value {
    let counts = |merged: &Merged| {
        json!({
            "blocks": merged.blocks, "rows": merged.rows, "again": merged.again, "equal": merged.equal,
            "different": merged.different, "only_theirs": merged.only_theirs, "waiting": merged.waiting,
        })
    };
    let example = |found: &Disagreement| json!({ "ticker": found.ticker, "block": found.block, "prices": found.prices, "hotkeys": found.hotkeys });
    let parts = caught.merged.iter().map(|(part, merged)| {
        json!({
            "day": part.day, "final": part.is_final, "counts": counts(merged),
            "different": merged.examples.iter().map(example).collect::<Vec<_>>(),
        })
    });
    let failed = caught.failed.iter().map(|failed| json!({ "day": failed.day, "reasons": failed.reasons }));
    json!({
        "number": published.index.number, "publisher": published.index.publisher, "made": published.index.unix,
        "refused": published.refused, "total": counts(&caught.total()), "parts": parts.collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(), "facts": caught.facts, "facts_fault": caught.facts_fault,
    })
}

fn said(args: &FetchArgs, published: &Published, caught: &CaughtUp) -> String {
    let place = args.ledger.display();
    let index = &published.index;
    let reaches = index.parts.last().map_or_else(String::new, |part| format!(", to block {}", part.last));
    let mut said =
        format!("list {} of {}: {} parts{reaches}\n", index.number, index.publisher, index.parts.len());
    let total = caught.total();
    if caught.merged.is_empty() && caught.failed.is_empty() {
        return said + &format!("{place}: nothing is missing\n");
    }
    said += &format!(
        "{place}: {} parts merged: {} blocks and {} rows are new",
        caught.merged.len(),
        total.blocks,
        total.rows
    );
    said += &match total.again {
        0 => "\n".to_owned(),
        again => format!(", {again} of them in the place of others that had been fetched\n"),
    };
    let compared = total.equal + total.different + total.only_theirs + total.waiting;
    if compared > 0 {
        said += &format!(
            "of blocks that are here: {} rows equal, {} different, {} not here, {} wait here to be opened; these stay as they are\n",
            total.equal, total.different, total.only_theirs, total.waiting
        );
    }
    for found in caught.merged.iter().flat_map(|(_, merged)| &merged.examples).take(5) {
        let names: Vec<&str> =
            found.prices.iter().chain(&found.hotkeys).take(3).map(String::as_str).collect();
        said += &format!("  block {} of {}: {}\n", found.block, found.ticker, names.join(", "));
    }
    if !caught.facts.is_empty() {
        said += &format!("facts: {}\n", caught.facts.join(", "));
    }
    said
}
