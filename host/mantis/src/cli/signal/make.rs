//! `mantis signal run` and `mantis signal replay`: making forecasts.

use super::serve::ServingArgs;
use super::shared::{StoreArgs, now_ms};
use crate::cli::listen::ended;
use crate::cli::log::LogArgs;
use crate::cli::output::{Bars, Table, complain, print, print_json};
use crate::cli::score::launcher;
use crate::cli::shared::{ConfigArgs, RuntimeArg, positive};
use anyhow::{Context, bail};
use clap::Args;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_payload::OwnerSecret;
use mantis_signal::service::{
    FitReport, FitState, Live, LiveOptions, Replay, ReplayOptions, ReplayReport, SettleReport,
};
use mantis_signal::store::Store;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Where forecasts come from, and where they go.
#[derive(Debug, Args)]
pub(in crate::cli) struct SourceArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The ledger of the owner's validator; it is only read.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
    /// Blocks from one round of fits to the next.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    fit_every: u32,
    /// Seconds that one challenge's fit may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800.0, value_parser = positive)]
    deadline: f64,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl SourceArgs {
    fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config.config)?)
    }

    fn options(&self, histories: Option<PathBuf>) -> anyhow::Result<LiveOptions> {
        Ok(LiveOptions {
            ledger: self.ledger.clone(),
            fit_every: self.fit_every,
            histories,
            scratch: self.scratch.clone().unwrap_or_else(std::env::temp_dir),
            launcher: launcher(self.deadline)?,
            poll: Duration::from_secs(1),
        })
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis signal run --ledger datalog.db --store signals --owner-secret owner.secret --netuid 123"
)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// File with the secret of the key that miners seal for: 64 hexadecimal digits, for its owner alone to read.
    #[arg(long, value_name = "FILE")]
    owner_secret: PathBuf,
    #[command(flatten)]
    serving: ServingArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// `mantis signal run`.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let source = &args.source;
    let config = source.config()?;
    let secret = owner_secret(&args.owner_secret)?;
    Ledger::read(&source.ledger)?.check_layout(&config)?;
    args.log.start();
    let store = Arc::new(Store::open(&source.store.store)?);
    let histories = source.store.store.join("history");
    let live = Live::new(Arc::new(config), store.clone(), secret, source.options(Some(histories))?)?;
    let (site, key) = args.serving.site(&source.store, store)?;
    let status = live.status();
    site.show_making(Box::new(move || {
        let status = status.lock().unwrap_or_else(PoisonError::into_inner);
        status.summary(now_ms().unwrap_or_default())
    }));
    let stop = AtomicBool::new(false);
    super::super::runtime()?.block_on(async {
        let _server = args.serving.start(site)?;
        std::thread::scope(|scope| {
            let running = scope.spawn(|| live.run(&key, || now_ms().unwrap_or_default(), &stop));
            let outcome = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ended()));
            stop.store(true, Ordering::Relaxed);
            // It says all that fails; what is left is its end.
            let _ = running.join();
            outcome.map(|_| ())
        })
    })
}

/// The owner's secret: 64 hexadecimal digits in a file that its owner alone can read.
fn owner_secret(path: &Path) -> anyhow::Result<OwnerSecret> {
    let unreadable = || format!("cannot read the owner's secret {}", path.display());
    let file = File::open(path).with_context(unreadable)?;
    if file.metadata().with_context(unreadable)?.mode() & 0o077 != 0 {
        bail!("others can read the owner's secret {0}: run `chmod 600 {0}`", path.display());
    }
    let mut digits = String::new();
    file.take(1000).read_to_string(&mut digits).with_context(unreadable)?;
    OwnerSecret::from_hex(digits.trim()).with_context(|| {
        format!("{}: the owner's secret is 64 hexadecimal digits, and nothing else", path.display())
    })
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis signal replay --ledger datalog.db --store replayed --rows 1440\n  mantis signal show --store replayed"
)]
pub(in crate::cli) struct ReplayArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Rows of the ledger's end that are forecast; a week, unless it is told.
    #[arg(long, value_name = "N", default_value_t = 10_080, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rows: u32,
    /// These tickers only.
    #[arg(long, value_name = "TICKER,..", value_delimiter = ',')]
    only: Vec<String>,
    /// What plugins run in; the default is what the configuration says.
    #[arg(long)]
    runtime: Option<RuntimeArg>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// `mantis signal replay`.
pub(super) fn replay(args: &ReplayArgs) -> anyhow::Result<()> {
    let ReplayArgs { source, rows, only, runtime, json } = args;
    let mut config = source.config()?;
    if let Some(runtime) = runtime {
        config.challenges.iter_mut().for_each(|challenge| challenge.runtime = (*runtime).into());
    }
    if let Some(unknown) = only.iter().find(|ticker| config.challenges.iter().all(|c| c.ticker != **ticker)) {
        bail!("--only {unknown}: no such ticker in {}", config.file.display());
    }
    let ledger = Ledger::read(&source.ledger)?;
    ledger.check_layout(&config)?;
    let Some(last) = ledger.last_block()? else { bail!("{} is empty", source.ledger.display()) };
    let store = Store::open(&source.store.store)?;
    if *store.watch().borrow() > 0 {
        bail!(
            "{} holds forecasts already; forecasts of the past are kept apart: give another --store",
            source.store.store.display()
        );
    }
    let mut scoring = source.options(None)?.scoring();
    scoring.only = (!only.is_empty()).then(|| only.iter().cloned().collect());
    let every = i64::from(config.network.sample_every);
    let first = (last + 1 - i64::from(*rows) * every).max(Block(0));
    let options = ReplayOptions { blocks: first..last + 1, fit_every: source.fit_every, scoring };
    let mut said = 0;
    let report = Replay::new(Arc::new(config), options).run(&store, &Bars::new(), |done| {
        let tenths = (done * 10.0) as u32;
        if tenths > said {
            said = tenths;
            complain(&format!("replayed: {}0%", tenths));
        }
    })?;
    if *json {
        return print_json(&document(&report, &store)?);
    }
    print(&text(&report))
}

fn document(report: &ReplayReport, store: &Store) -> anyhow::Result<serde_json::Value> {
    let last = store.verify(None)?.root;
    let ReplayReport { forecasts, fits, settled, failed } = report;
    let fits: Vec<_> = fits
        .iter()
        .map(|(block, FitReport { ticker, state })| {
            serde_json::json!({ "block": block.0, "ticker": ticker, "fit": words(state) })
        })
        .collect();
    let settled: Vec<_> = settled
        .iter()
        .map(|SettleReport { ticker, settled, waiting, failed }| {
            serde_json::json!({ "ticker": ticker, "settled": settled, "waiting": waiting, "failed": failed })
        })
        .collect();
    Ok(serde_json::json!({
        "forecasts": forecasts, "last": last, "fits": fits, "outcomes": settled, "failed": failed,
    }))
}

fn text(report: &ReplayReport) -> String {
    let mut table = Table::new(["challenge", "fits", "settled", "waiting", "last failure"]);
    let tickers: std::collections::BTreeSet<&str> =
        report.fits.iter().map(|(_, fit)| fit.ticker.as_str()).collect();
    for ticker in tickers {
        let of = |fit: &&(Block, FitReport)| fit.1.ticker == ticker;
        let kept =
            report.fits.iter().filter(of).filter(|(_, fit)| matches!(fit.state, FitState::Kept(_))).count();
        let last = report.fits.iter().rev().find(of).map(|(_, fit)| words(&fit.state)).unwrap_or_default();
        let settled = report.settled.iter().find(|of| of.ticker == ticker);
        let why = settled.and_then(|of| of.failed.clone()).or_else(|| report.failed.get(ticker).cloned());
        let why = why.unwrap_or_else(|| if kept == 0 { last } else { String::new() });
        let count = |count: Option<usize>| count.map_or_else(|| "-".into(), |n| n.to_string());
        table.row([
            ticker.to_owned(),
            kept.to_string(),
            count(settled.map(|of| of.settled)),
            count(settled.map(|of| of.waiting)),
            why,
        ]);
    }
    format!("{} forecasts\n\n{}", report.forecasts, table.render())
}

/// What became of a fit, in words.
pub(in crate::cli) fn words(state: &FitState) -> String {
    match state {
        FitState::Kept(_) => "fitted".into(),
        FitState::Nothing(why) => format!("nothing could be fitted: {why}"),
        FitState::Silent => "its plugin does not forecast".into(),
        FitState::Failed(why) => format!("its fit failed: {why}"),
    }
}
