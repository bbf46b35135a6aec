//! `mantis replay`.

mod document;
mod progress;
mod text;

pub(super) use document::short_document;
pub(super) use progress::Progress;
pub(super) use text::winners;

use super::output::{complain, print, print_json};
use super::score::{launcher, write_report};
use super::shared::{SolverArg, positive};
use crate::release::Side;
use crate::replay::{GroupArg, TABLES, draw, group, read_weightings, write_tables};
use anyhow::Context;
use clap::Args;
use mantis_config::{Block, Config};
use mantis_dashboard::sections::{ReplayInput, replay_html};
use mantis_ledger::Ledger;
use mantis_scoring::{SalienceCache, clear_saliences};
use mantis_validator::replay::{
    Candidate, Group, Range, Replay, Replayed, SolverChoice, Swept, Weighting, chosen, sweep,
};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The name of what the ledger was computed by.
const HISTORY: &str = "history";
/// The page's file.
const PAGE: &str = "replay.html";

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis replay --ledger datalog.db --config next.toml --out replay\n  mantis replay --ledger \
    datalog.db --from 7000000 --to 7100000 --every 1000 --sweep 1000\n  mantis replay --ledger demo/ledger.db --group \
    clones=clone,near --group noise=noise\n\ndocs/replay.md says what is computed, and what of the past cannot be known."
)]
pub(super) struct ReplayArgs {
    /// The ledger; it is only read, and may be written meanwhile.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// The first block to compute; the default is the first that the ledger has a computation for.
    #[arg(long, value_name = "BLOCK")]
    from: Option<i64>,
    /// The last block that may be computed; the default is the ledger's last.
    #[arg(long, value_name = "BLOCK")]
    to: Option<i64>,
    /// Blocks from one computation to the next; the default is the blocks that the ledger has computations for.
    #[arg(long, value_name = "BLOCKS")]
    every: Option<NonZeroU32>,
    /// The configuration that the ledger was computed by; the releases that it has taken go over it. All else is compared with
    /// that.
    #[arg(long, value_name = "FILE", default_value = "challenges.toml")]
    base: PathBuf,
    /// A configuration, or a release's folder, in the place of history; may be given several times.
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Leave history out: all is compared with the first --config.
    #[arg(long, requires = "config")]
    no_history: bool,
    /// Where model fits stop; the default is what the ledger has recorded, where a configuration does not change it.
    #[arg(long)]
    solver: Option<SolverArg>,
    /// Weightings to try on the first of all: CSV with a column per ticker, or a JSON object per line.
    #[arg(long, value_name = "FILE", conflicts_with = "sweep")]
    weights: Option<PathBuf>,
    /// Draw so many weightings around the newest ones, and try them on the first of all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    sweep: Option<u32>,
    /// The same seed draws the same weightings.
    #[arg(long, default_value_t = 1, requires = "sweep")]
    seed: u64,
    /// How far drawn weightings lie around: the standard deviation of a weight's logarithm.
    #[arg(long, value_name = "X", default_value_t = 0.5, value_parser = positive, requires = "sweep")]
    spread: f64,
    /// Sum what some hotkeys earn under a name; may be given several times.
    #[arg(long, value_name = "NAME=HOTKEY,..")]
    group: Vec<GroupArg>,
    /// Challenges scored at the same time; the default is one per processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Seconds that one challenge may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800.0, value_parser = positive)]
    deadline: f64,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Folder of saliences that were scored before; the default is DB.replay beside the ledger.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Bytes that may stay in it at the end, in MiB: what was not used for longest goes.
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    cache_mib: u32,
    /// Empty that folder first.
    #[arg(long)]
    clear_cache: bool,
    /// Score all, and keep nothing.
    #[arg(long, conflicts_with_all = ["cache", "clear_cache"])]
    no_cache: bool,
    /// A folder for all of it: tables as Parquet, and a page for people that needs nothing but itself.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace files that are there already.
    #[arg(long)]
    force: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    if let Some(folder) = &args.out {
        is_free(folder, args.force)?;
    }
    let ledger = Ledger::read(&args.ledger)?;
    let candidates = candidates(args, &ledger)?;
    let newest = candidates.first().context("name what to compute by: --config")?.newest().clone();
    let weightings = weightings(args, &newest)?;
    let groups = args.group.iter().map(|arg| group(arg, &args.ledger)).collect::<Result<Vec<_>, _>>()?;
    let range = Range { from: args.from.map(Block), to: args.to.map(Block), every: args.every };
    let (blocks, left_out) = chosen(&ledger, &newest, range)?;
    let cache = cache(args, &ledger)?;
    let replay = Replay {
        ledger: args.ledger.clone(),
        candidates,
        blocks,
        threads: threads(args.threads),
        histories: cache.as_ref().map(|(folder, _)| folder.join("histories")),
        saliences: cache.as_ref().map(|(_, cache)| cache.clone()),
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
        launcher: launcher(args.deadline)?,
    };
    let mut replayed = replay.run(&Progress::new())?;
    if left_out > 0 {
        let least = newest.network.min_sampled;
        replayed
            .notes
            .insert(0, format!("blocks left out, as fewer than {least} were sampled by then: {left_out}"));
    }
    if let Some((_, cache)) = &cache
        && let Err(error) = cache.trim(u64::from(args.cache_mib) << 20)
    {
        complain(&format!("warning: {error}"));
    }
    let scored = started.elapsed().as_secs_f64();
    let swept = match replayed.courses.first() {
        Some(course) => sweep(course, &weightings, replay.threads),
        None => Vec::new(),
    };
    // What no configuration may have was refused when it was read.
    let swept: Vec<Swept> = swept.into_iter().flatten().collect();
    let shown = Shown { replayed: &replayed, groups: &groups, swept: &swept };
    let files = args.out.as_ref().map(|folder| write_out(args, folder, &shown)).transpose()?;
    let seconds = (scored, started.elapsed().as_secs_f64() - scored);
    if args.json {
        return print_json(&document::document(&shown, seconds));
    }
    let files = files.into_iter().flatten().map(|file| format!("{}\n", file.display()));
    print(&(text::text(&shown, seconds) + &files.collect::<String>()))
}

/// What is shown.
struct Shown<'a> {
    replayed: &'a Replayed,
    groups: &'a [Group],
    swept: &'a [Swept],
}

pub(super) fn threads(asked: Option<u16>) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or(processors, usize::from)
}

/// History, unless it is left out, then what stands in its place.
fn candidates(args: &ReplayArgs, ledger: &Ledger) -> anyhow::Result<Vec<Candidate>> {
    let solver = args.solver.map_or(SolverChoice::Recorded, |solver| SolverChoice::Given(solver.into()));
    let mut all = Vec::new();
    if !args.no_history {
        all.push(Candidate::history(HISTORY, &Config::load(&args.base)?, ledger, solver)?);
    }
    for path in &args.config {
        let config = Side::load(path).with_context(|| format!("--config {}", path.display()))?.config;
        let name = name(path, &all);
        let candidate = Candidate::new(&name, &config, solver)?;
        all.push(match all.first().filter(|_| !args.no_history) {
            Some(history) => candidate.instead_of(history),
            None => candidate,
        });
    }
    Ok(all)
}

/// The file's name without its ending, with a number if another has it already.
fn name(path: &Path, others: &[Candidate]) -> String {
    let stem = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let stem = stem.unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let is_free = |name: &String| others.iter().all(|other| other.name != *name);
    let numbered = (2..).map(|n| format!("{stem} {n}"));
    std::iter::once(stem.clone()).chain(numbered).find(is_free).unwrap_or(stem)
}

fn weightings(args: &ReplayArgs, config: &Config) -> anyhow::Result<Vec<Weighting>> {
    Ok(match (&args.weights, args.sweep) {
        (Some(file), _) => read_weightings(file, config)?,
        (None, Some(count)) => draw(config, count, args.seed, args.spread),
        (None, None) => Vec::new(),
    })
}

fn cache(args: &ReplayArgs, ledger: &Ledger) -> anyhow::Result<Option<(PathBuf, Arc<SalienceCache>)>> {
    if args.no_cache {
        return Ok(None);
    }
    let folder = args.cache.clone().unwrap_or_else(|| beside(&args.ledger));
    if args.clear_cache {
        clear_saliences(&folder)?;
    }
    let cache = SalienceCache::open(&folder, ledger)?;
    Ok(Some((folder, Arc::new(cache))))
}

/// The folder of a ledger's saliences that were scored in replays.
pub(super) fn beside(ledger: &Path) -> PathBuf {
    ledger.with_added_extension("replay")
}

/// Whether nothing is in the way: before hours are spent on what could not be written.
fn is_free(folder: &Path, force: bool) -> anyhow::Result<()> {
    let tables = TABLES.map(|name| format!("{name}.parquet"));
    let files = tables.iter().map(String::as_str).chain([PAGE]).map(|file| folder.join(file));
    if let Some(file) = files.into_iter().find(|file| file.exists() && !force) {
        anyhow::bail!(
            "{}: the file is there already; name another folder with --out, or replace it with --force",
            file.display()
        );
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

fn write_out(args: &ReplayArgs, folder: &Path, shown: &Shown<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let Shown { replayed, groups, swept } = shown;
    let written = write_tables(folder, replayed, groups, swept, args.force)?;
    let title = args.ledger.file_name().unwrap_or(args.ledger.as_os_str()).to_string_lossy();
    let input = ReplayInput { title: &title, replayed, groups, swept };
    let page = folder.join(PAGE);
    write_report(&page, &replay_html(&input)?)?;
    let tables = written.into_iter().map(|(name, _)| folder.join(name).with_extension("parquet"));
    Ok(tables.chain([page]).collect())
}
