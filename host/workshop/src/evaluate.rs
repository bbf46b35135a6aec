//! From a strategy and a ledger to its measures.

use crate::child::{Child, Limits, Program, Sandbox};
use crate::embeddings;
use crate::error::WorkshopError;
use crate::evaluation::{Causality, Evaluation, FORMAT, Seconds, Strategy, Stretch, Window};
use crate::feed::Feed;
use crate::greeting::{BLOCK_SECONDS, hello};
use crate::metrics::{Measures, Resampling, Sample};
use crate::protocol::{Hello, Ready};
use crate::replayed::{compare_labels, differing, drawn, lag_test};
use crate::stored::{Stored, store};
use crate::walk::{Answers, Path, walk};
use mantis_config::{Challenge, Config};
use mantis_ledger::Ledger;
use mantis_plugin_api::{Reading, Targets};
use mantis_scoring::plugins::digest;
use mantis_scoring::worker::Session;
use mantis_scoring::{Labelled, Options, session};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path as File;
use std::time::Instant;

/// Days at the end whose measures stand alone.
pub const HOLDOUT_DAYS: f64 = 20.0;
/// Days of a window.
const WINDOW_DAYS: f64 = 5.0;

/// What is measured, and how.
pub struct Plan<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The challenge.
    pub challenge: &'a Challenge,
    /// The ledger, and how plugins are run.
    pub options: &'a Options,
    /// The strategy.
    pub program: &'a Program,
    /// Where it runs.
    pub sandbox: Sandbox,
    /// How much of the machine it may use.
    pub limits: Limits,
    /// Days of 7,200 blocks that count, up to the ledger's last row.
    pub days: f64,
    /// Rows that a label is held back after it has become known.
    pub embargo: usize,
    /// The seed that the strategy is given.
    pub seed: u64,
    /// Leaves out what takes the strategy through the rows again: the replay and the lag test.
    pub quick: bool,
    /// Where answers are written.
    pub embeddings: Option<&'a File>,
    /// Whether a file that is there is replaced.
    pub force: bool,
}

/// Measures a strategy. `progress` hears what is done, and which part of it.
///
/// # Errors
/// [`WorkshopError`].
pub fn evaluate(plan: &Plan<'_>, progress: &dyn Fn(&str, f64)) -> Result<Evaluation, WorkshopError> {
    let Plan { config, challenge, options, .. } = *plan;
    plan.sandbox.hide(plan.program, &options.ledger)?;
    let mut clock = Clock::new();
    let mut seconds = Seconds::default();
    progress("reading the ledger", 0.0);
    let labelled = Labelled::new(config, challenge, options).map_err(WorkshopError::Ledger)?;
    let market = labelled.market();
    let targets = labelled.targets(market.rows()).map_err(WorkshopError::Ledger)?;
    let times = times(options, config.network.sample_every, &market.sidx)?;
    let subjects = challenge.assets.len().max(1);
    let mut feed = Feed::new(market, &times, config.network.sample_every);
    if let Some(targets) = &targets {
        feed = feed.with_labels(targets, subjects, plan.embargo);
    }
    let counted = feed.last_days(plan.days);
    let (checked_labels, differing_labels) = check_labels(&labelled, targets.as_ref(), &counted)?;
    seconds.ledger = clock.lap();

    let hello = hello(config, challenge, targets.as_ref(), plan.seed);
    let mut child = Child::start(plan.program, plan.sandbox, plan.limits, &hello)?;
    let ready = child.ready().clone();
    let path = path(&ready, &counted, market.rows(), &challenge.ticker)?;
    let answers = go(&mut child, &feed, path, 0, &|done| progress("asking the strategy", done))?;
    let log = child.finish();
    seconds.walk = clock.lap();

    let mut session = session(config, &challenge.ticker, &options.launcher).map_err(WorkshopError::Ledger)?;
    let judge = |session: &mut Session, answers: &Answers| store(challenge, session, answers, path);
    let stored = judge(&mut session, &answers)?;
    let horizon = horizon(&hello, targets.as_ref());
    let measure = |stored: &Stored, resampled: bool| {
        let targets = targets.as_ref()?;
        let sample = Sample::new(targets, stored, challenge.dim, &counted);
        let resampling = resampled.then(|| Resampling::new(horizon, sample.pairs(), plan.seed));
        Some((Measures::of(&sample, horizon, resampling), sample))
    };
    progress("measuring", 0.0);
    let measured = measure(&stored, true);
    seconds.measures = clock.lap();

    let (mut replayed_rows, mut differs, mut lag) = (0, 0, None);
    if !plan.quick {
        let rows = drawn(&answers);
        progress("asking once more", 0.0);
        let mut again = Child::start(plan.program, plan.sandbox, plan.limits, &hello)?;
        (replayed_rows, differs) = (rows.len(), differing(&mut again, &feed, path, &answers, &rows)?);
        drop(again);
        if let Some((measures, _)) = &measured {
            let mut late = Child::start(plan.program, plan.sandbox, plan.limits, &hello)?;
            let answers = go(&mut late, &feed, path, 1, &|done| progress("asking with a lag", done))?;
            let late = measure(&judge(&mut session, &answers)?, false);
            lag = late.map(|(late, _)| lag_test(measures, &late, chance(targets.as_ref())));
        }
    }
    seconds.tests = clock.lap();

    if let Some(file) = plan.embeddings {
        embeddings::write(file, plan.force, &challenge.ticker, &feed, path, &answers, &stored)?;
    }
    let holdout_rows = feed.last_days(HOLDOUT_DAYS.min(plan.days));
    let holdout = measured.as_ref().filter(|_| holdout_rows.start > counted.start).map(|(_, sample)| {
        let sample = sample.within(&holdout_rows);
        let resampling = Resampling::new(horizon, sample.pairs(), plan.seed);
        Measures::of(&sample, horizon, Some(resampling))
    });
    let windows =
        measured.as_ref().map(|(_, sample)| windows(&feed, &counted, &holdout_rows, sample, horizon));
    Ok(Evaluation {
        format: FORMAT,
        challenge: challenge.name.clone(),
        ticker: challenge.ticker.clone(),
        strategy: strategy(plan, &ready)?,
        stretch: Stretch {
            ledger: options.ledger.clone(),
            from_block: feed.block(path.from.max(counted.start)),
            to_block: feed.block(counted.end.saturating_sub(1)),
            rows: counted.end - path.from.max(counted.start),
            warmup_rows: path.from - path.first,
        },
        labels: targets.as_ref().map(|targets| targets.reading),
        horizon_rows: horizon,
        answers: stored.taken,
        headline: measured.map(|(measures, _)| measures),
        holdout,
        windows: windows.unwrap_or_default(),
        causality: Causality {
            enforced: if plan.sandbox == Sandbox::None { "none" } else { "process" },
            sandbox: plan.sandbox,
            replayed_rows,
            differing: differs,
            lag_test: lag,
            checked_labels,
            differing_labels,
        },
        embeddings: plan.embeddings.map(Into::into),
        seconds,
        log,
    })
}

/// One strategy's way, with a word about it now and then.
fn go(
    child: &mut Child,
    feed: &Feed<'_>,
    path: Path,
    lag: usize,
    progress: &dyn Fn(f64),
) -> Result<Answers, WorkshopError> {
    let rows = (path.until - path.from).max(1) as f64;
    let mut last = Instant::now();
    let mut said = |row: usize| {
        if last.elapsed().as_millis() > 100 {
            last = Instant::now();
            progress((row - path.from) as f64 / rows);
        }
    };
    Ok(walk(child, feed, path, lag, &mut said)?)
}

/// The rows that are told and asked about.
fn path(ready: &Ready, counted: &Range<usize>, rows: usize, ticker: &str) -> Result<Path, WorkshopError> {
    let bounded = |x: u64| usize::try_from(x).unwrap_or(usize::MAX);
    let path = Path::new(counted, bounded(ready.warmup), bounded(ready.interval));
    if path.from < path.until {
        return Ok(path);
    }
    Err(WorkshopError::Rows(format!(
        "the ledger has {rows} rows of {ticker}, and the strategy wants {} before its first answer; lower its warmup, or take a \
         ledger with more rows",
        ready.warmup
    )))
}

/// Unix time of each row, as the ledger knows its chain's; NaN where it does not.
fn times(options: &Options, sample_every: u32, sidx: &[i64]) -> Result<Vec<f64>, WorkshopError> {
    let ledger = Ledger::read(&options.ledger).map_err(|error| WorkshopError::Ledger(error.into()))?;
    let head = ledger.chain_record().map_err(|error| WorkshopError::Ledger(error.into()))?.head;
    let time = |sidx: &i64| {
        let block = sidx.saturating_mul(sample_every.into());
        head.map_or(f64::NAN, |(at, unix)| unix as f64 - BLOCK_SECONDS * (at.0 - block) as f64)
    };
    Ok(sidx.iter().map(time).collect())
}

/// Asks for the labels of markets that end within the rows that count, and compares.
fn check_labels(
    labelled: &Labelled<'_>,
    targets: Option<&Targets>,
    counted: &Range<usize>,
) -> Result<(usize, usize), WorkshopError> {
    let Some(targets) = targets else { return Ok((0, 0)) };
    let cut = counted.start + counted.len() / 2;
    let early = labelled.targets(cut).map_err(WorkshopError::Ledger)?;
    Ok(early.map_or((0, 0), |early| compare_labels(targets, &early, cut)))
}

/// Rows from a row to what its label looks at; where the challenge has no horizon, what is usual.
fn horizon(hello: &Hello, targets: Option<&Targets>) -> usize {
    if hello.horizon_rows > 0 {
        return hello.horizon_rows;
    }
    let Some(targets) = targets else { return 0 };
    let mut waits: Vec<usize> =
        targets.rows.iter().zip(&targets.known).map(|(row, known)| known - row).collect();
    waits.sort_unstable();
    waits.get(waits.len() / 2).copied().unwrap_or(0)
}

/// What the measure that says it in short is without any skill.
fn chance(targets: Option<&Targets>) -> f64 {
    match targets.map(|targets| targets.reading) {
        Some(Reading::Classes { classes }) => 1.0 / f64::from(classes.max(1)),
        _ => 0.5,
    }
}

/// Runs of days, counted back from the end.
fn windows(
    feed: &Feed<'_>,
    counted: &Range<usize>,
    holdout: &Range<usize>,
    sample: &Sample,
    horizon: usize,
) -> Vec<Window> {
    let starts = (0..).map(|n| feed.last_days(f64::from(n) * WINDOW_DAYS).start);
    let mut starts: Vec<usize> = starts.take_while(|start| *start > counted.start).collect();
    starts.push(counted.start);
    starts.reverse();
    let window = |pair: &[usize]| {
        let range = pair[0]..pair[1];
        let measures = Measures::of(&sample.within(&range), horizon, None);
        Window {
            from_block: feed.block(range.start),
            to_block: feed.block(range.end.saturating_sub(1)),
            in_holdout: holdout.start > counted.start && range.start >= holdout.start,
            rows: measures.rows,
            n: measures.n,
            metric: measures.metric,
            value: measures.headline(),
            auc: measures.auc,
            log_loss: measures.log_loss,
            spearman: measures.spearman,
        }
    };
    starts.windows(2).filter(|pair| pair[0] < pair[1]).map(window).collect()
}

fn strategy(plan: &Plan<'_>, ready: &Ready) -> Result<Strategy, WorkshopError> {
    let mut files = BTreeMap::new();
    for path in plan.program.files()? {
        let sha256 = digest(&path).map_err(|error| WorkshopError::Ledger(error.into()))?;
        files.insert(path, sha256);
    }
    let file = plan.program.file.clone();
    Ok(Strategy {
        sha256: files.get(&file).cloned().unwrap_or_default(),
        file,
        files,
        warmup: ready.warmup,
        interval: ready.interval,
        found: ready.found.clone(),
        seed: plan.seed,
    })
}

/// Seconds since the last look.
struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn lap(&mut self) -> f64 {
        let seconds = self.0.elapsed().as_secs_f64();
        self.0 = Instant::now();
        seconds
    }
}
