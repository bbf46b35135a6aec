//! `mantis score`.

use super::facts::read_facts;
use super::guest::GuestArgs;
use super::output::{Bars, Table, print, print_json, short};
use super::shared::ScoringArgs;
use super::weights::settled;
use crate::salience::{Entrant, check_facts};
use anyhow::Context;
use clap::Args;
use mantis_config::{Block, Config};
use mantis_dashboard::sections::{Input, html};
use mantis_ledger::Ledger;
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Options, score};
use mantis_weights::Scores;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis score --ledger datalog.db --only ETH,CADUSD --json\n  mantis score --ledger \
    datalog.db --report out.html\n  mantis score --ledger datalog.db --with eth.parquet --challenge ETH"
)]
pub(super) struct ScoreArgs {
    #[command(flatten)]
    pub(super) scoring: ScoringArgs,
    /// Score these embeddings as one more miner, who is in no ledger: .parquet, .csv or .jsonl (docs/miners.md).
    #[arg(long, value_name = "FILE")]
    pub(super) with: Option<PathBuf>,
    #[command(flatten)]
    pub(super) guest: GuestArgs,
    /// Also write a page for people: one HTML file with every miner, every challenge, and why each weight is what it is.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &ScoreArgs) -> anyhow::Result<()> {
    let (config, scores, first) = scored_with(args)?;
    if let Some(file) = &args.report {
        let ledger = &args.scoring.ledger;
        let outcome = settled(&config, &args.scoring, &scores, None, &first)?;
        let title = ledger.file_name().unwrap_or(ledger.as_os_str()).to_string_lossy();
        let ledger = Ledger::read(ledger)?;
        let about = BTreeMap::new();
        let input = Input {
            title: &title,
            config: &config,
            ledger: &ledger,
            scores: &scores,
            outcome: &outcome,
            about: &about,
        };
        write_report(file, &html(&input)?)?;
    }
    if args.json {
        // Standard output is the document alone.
        args.report.iter().for_each(|file| eprintln!("report: {}", file.display()));
        return print_json(&Document::new(&scores));
    }
    let written = args.report.as_ref().map(|file| format!("report: {}\n", file.display()));
    print(&(text(&scores) + &written.unwrap_or_default()))
}

/// Writes a report, wholly or not at all, for everybody to read who may by the user's mask.
pub(super) fn write_report(file: &Path, page: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut new = builder.prefix(".mantis-report-").tempfile_in(folder)?;
        new.write_all(page.as_bytes())?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write the report {}", file.display()))
}

/// Scores as the arguments say.
pub(super) fn scored(args: &ScoringArgs) -> anyhow::Result<(Config, Scores)> {
    let config = load(args)?;
    let options = options(args, &config)?;
    let scores = score(&config, &options, &Bars::new())?;
    Ok((config, scores))
}

/// The same with a column from outside, if there is one; by its name the block of its first vector.
fn scored_with(args: &ScoreArgs) -> anyhow::Result<(Config, Scores, BTreeMap<String, Block>)> {
    let config = load(&args.scoring)?;
    let mut options = options(&args.scoring, &config)?;
    let mut first = BTreeMap::new();
    if let Some(file) = &args.with {
        let entrants = args.guest.enter(file, &config, &options)?;
        check_facts(&config, &options, &entrants)?;
        for Entrant { ticker, guest, .. } in entrants {
            if let Some(sidx) = guest.vectors.keys().next() {
                let block = sidx.block(config.network.sample_every);
                let known = first.entry(guest.name.clone()).or_insert(block);
                *known = block.min(*known);
            }
            options.guests.insert(ticker, guest);
        }
    } else if let Some(argument) = args.guest.given() {
        anyhow::bail!("{argument} is about a column from outside; add --with FILE, or leave it out");
    }
    let scores = score(&config, &options, &Bars::new())?;
    Ok((config, scores, first))
}

pub(super) fn load(args: &ScoringArgs) -> anyhow::Result<Config> {
    let mut config = Config::load(&args.config.config)?;
    if let Some(runtime) = args.runtime {
        config.challenges.iter_mut().for_each(|challenge| challenge.runtime = runtime.into());
    }
    Ok(config)
}

pub(super) fn options(args: &ScoringArgs, config: &Config) -> anyhow::Result<Options> {
    let known: BTreeSet<&str> = config.challenges.iter().map(|c| c.ticker.as_str()).collect();
    if let Some(unknown) = args.only.iter().find(|ticker| !known.contains(ticker.as_str())) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        anyhow::bail!("--only {unknown}: no such ticker in {}; it has {known}", config.file.display());
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Options {
        ledger: args.ledger.clone(),
        max_block: args.max_block.map(Block),
        as_of: None,
        only: (!args.only.is_empty()).then(|| args.only.iter().cloned().collect()),
        active: args.active.as_deref().map(hotkeys).transpose()?,
        guests: BTreeMap::new(),
        solver: args.solver.map(Into::into),
        threads: args.threads.map_or(processors, usize::from),
        facts: args.facts.as_deref().map(read_facts).transpose()?.unwrap_or_default(),
        histories: args.cache.histories(&args.ledger),
        saliences: None,
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
        launcher: launcher(args.deadline)?,
    })
}

/// Starts workers of this program, each with so many seconds.
pub(super) fn launcher(seconds: f64) -> anyhow::Result<Launcher> {
    Launcher::new(Duration::from_secs_f64(seconds)).context("cannot find this program's file")
}

/// A JSON list of hotkeys, or one per line.
fn hotkeys(file: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(&text)
            .with_context(|| format!("{}: expected a JSON list of hotkeys", file.display()));
    }
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect())
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    per_challenge: BTreeMap<&'a str, BTreeMap<String, f64>>,
    total: &'a BTreeMap<String, f64>,
    /// What of a challenge nobody earns, where that is something.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    burn: BTreeMap<&'a str, f64>,
    skipped: BTreeMap<&'a str, &'a str>,
    seconds: BTreeMap<&'a str, f64>,
    peak_rss_mb: f64,
}

impl<'a> Document<'a> {
    pub(super) fn new(scores: &'a Scores) -> Self {
        let scored = scores.challenges.iter().filter(|c| c.salience.is_some());
        let burn = scores.challenges.iter().map(|c| (c.ticker.as_str(), c.burn_share()));
        let burn = burn.filter(|(_, burn)| *burn > 0.0);
        let skipped =
            scores.challenges.iter().filter_map(|c| Some((c.ticker.as_str(), c.skipped.as_deref()?)));
        Self {
            per_challenge: scored.map(|c| (c.ticker.as_str(), c.shares().miners)).collect(),
            total: &scores.total,
            burn: burn.collect(),
            skipped: skipped.collect(),
            seconds: scores.challenges.iter().map(|c| (c.ticker.as_str(), c.seconds)).collect(),
            peak_rss_mb: scores.peak_rss_kib as f64 / 1024.0,
        }
    }
}

/// What people read: challenges, then miners by what they earn.
pub(super) fn text(scores: &Scores) -> String {
    let weight: f64 = scores.challenges.iter().filter(|c| c.counts()).map(|c| c.weight).sum();
    let mut challenges = Table::new(["challenge", "weight", "miners paid", "burned", "seconds", ""]);
    for c in &scores.challenges {
        let paid = c.paid();
        challenges.row([
            c.ticker.clone(),
            if c.counts() && weight > 0.0 {
                format!("{:.1}%", 100.0 * c.weight / weight)
            } else {
                "-".into()
            },
            paid.to_string(),
            if c.burn_share() > 0.0 { format!("{:.2}%", 100.0 * c.burn_share()) } else { "-".into() },
            format!("{:.2}", c.seconds),
            c.skipped.as_ref().map_or_else(String::new, |reason| format!("skipped: {reason}")),
        ]);
    }
    let mut miners: Vec<_> = scores.total.iter().filter(|(_, x)| **x > 0.0).collect();
    miners.sort_by(|a, b| b.1.total_cmp(a.1));
    let paid: Vec<_> = scores
        .challenges
        .iter()
        .map(|c| (&c.ticker, c.shares().miners))
        .filter(|c| !c.1.is_empty())
        .collect();
    let mut table = Table::new(["hotkey", "total"]);
    table.header(paid.iter().map(|(ticker, _)| (*ticker).clone()));
    for (hotkey, total) in miners {
        let percent = |x: f64| if x > 0.0 { format!("{:.2}%", 100.0 * x) } else { "-".into() };
        let cells = paid.iter().map(|(_, shares)| percent(shares.get(hotkey).copied().unwrap_or(0.0)));
        table.row([short(hotkey), percent(*total)].into_iter().chain(cells));
    }
    format!(
        "{}\n{}\npeak memory, all processes: {:.0} MB\n",
        challenges.render(),
        table.render(),
        scores.peak_rss_kib as f64 / 1024.0
    )
}
