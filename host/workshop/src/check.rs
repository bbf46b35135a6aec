//! A strategy tried out on a made market, without a ledger: does it answer, in time, the same each time, and what the
//! challenge takes?

use crate::child::{Child, Limits, Program, Sandbox};
use crate::error::WorkshopError;
use crate::feed::Feed;
use crate::greeting::{BLOCK_SECONDS, hello};
use crate::protocol::Hello;
use crate::replayed::differences;
use crate::stored::{Stored, store};
use crate::walk::{Answers, Path, walk};
use mantis_config::{Challenge, Config};
use mantis_plugin_api::Market;
use mantis_scoring::session;
use mantis_scoring::worker::Launcher;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Answers that are asked for.
const ANSWERS: usize = 300;
/// Rows at the most, beside the warm-up.
const MOST_ROWS: usize = 50_000;
/// Rows of 60 days, a minute each: what a whole backtest has.
const SIXTY_DAYS: f64 = 86_400.0;

/// What is tried out, and how.
pub struct Trial<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The challenge.
    pub challenge: &'a Challenge,
    /// Starts the worker of its plugin.
    pub launcher: &'a Launcher,
    /// The strategy.
    pub program: &'a Program,
    /// Where it runs.
    pub sandbox: Sandbox,
    /// How much of the machine it may use.
    pub limits: Limits,
    /// The seed that it is given, and of the market.
    pub seed: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The challenge's name.
    pub challenge: String,
    /// Where the strategy ran.
    pub sandbox: Sandbox,
    /// Rows that it is given before its first answer.
    pub warmup: u64,
    /// Rows from one answer to the next.
    pub interval: u64,
    /// Rows that it was told.
    pub rows: usize,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
    /// Seconds until it was ready.
    pub start_seconds: f64,
    /// Mean seconds of an answer.
    pub answer_seconds: f64,
    /// Seconds of the slowest.
    pub slowest_seconds: f64,
    /// Seconds that 60 days of rows would take.
    pub sixty_days_seconds: f64,
    /// What it wrote for people.
    pub log: Vec<String>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Whether all is well.
    pub passed: bool,
    /// What was found.
    pub says: String,
}

impl Found {
    /// Whether all is well.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

/// Tries a strategy out.
///
/// # Errors
/// [`WorkshopError`], if it cannot be started, or does not answer as it should.
pub fn check(trial: &Trial<'_>) -> Result<Found, WorkshopError> {
    let Trial { config, challenge, program, sandbox, limits, seed, .. } = *trial;
    let hello = hello(config, challenge, None, seed);
    let began = Instant::now();
    let mut child = Child::start(program, sandbox, limits, &hello)?;
    let start_seconds = began.elapsed().as_secs_f64();
    let ready = child.ready().clone();
    let bounded = |x: u64| usize::try_from(x).unwrap_or(usize::MAX);
    let (warmup, interval) = (bounded(ready.warmup), bounded(ready.interval));
    let rows = interval.saturating_mul(ANSWERS).clamp(ANSWERS.min(MOST_ROWS), MOST_ROWS.max(interval * 2));
    let rows = warmup + rows;
    let path = Path::new(&(warmup..rows), warmup, interval);
    let (market, times) = (made(&hello, rows, rows, seed), times(rows));
    let sample_every = config.network.sample_every;
    let feed = Feed::new(&market, &times, sample_every);
    let (answers, took) = timed(&mut child, &feed, path)?;
    let log = child.finish();

    // The same rows for a while, then others: what was said until then may not depend on what came.
    let turn = warmup + (rows - warmup) * 3 / 5;
    let other = made(&hello, rows, turn, seed);
    let mut again = Child::start(program, sandbox, limits, &hello)?;
    let (others, _) = timed(&mut again, &Feed::new(&other, &times, sample_every), path)?;
    let differing = differences(&answers, &others, |row| row < turn);
    let early = answers.rows.iter().filter(|row| **row < turn).count();

    let mut session = session(config, &challenge.ticker, trial.launcher).map_err(WorkshopError::Ledger)?;
    let Stored { taken, .. } = store(challenge, &mut session, &answers, path)?;
    let seconds: Vec<f64> = took.iter().map(Duration::as_secs_f64).collect();
    let answer_seconds = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
    let sixty_days_seconds = answer_seconds * SIXTY_DAYS / interval.max(1) as f64;
    let slowest_seconds = seconds.iter().copied().fold(0.0, f64::max);
    let checks = vec![
        Check {
            name: "sandbox",
            passed: sandbox != Sandbox::None,
            says: match sandbox {
                Sandbox::Bubblewrap => "it reaches no network, no data and no other process".into(),
                Sandbox::None => "it runs as you do and reaches all that you reach".into(),
            },
        },
        Check {
            name: "the same each time",
            passed: differing == 0,
            says: format!("{differing} of {early} answers differ by what came after, or by chance"),
        },
        Check {
            name: "taken by the challenge",
            passed: taken.refused == 0 && taken.stored > 0,
            says: match &taken.first_refused {
                Some(why) => format!("{} of {} answers are refused: {why}", taken.refused, taken.asked),
                None => format!("{} of {} answers would be stored", taken.stored, taken.asked),
            },
        },
        Check {
            name: "in time",
            passed: slowest_seconds < hello.row_seconds * interval.max(1) as f64,
            says: format!("{:.2} ms an answer, {slowest_seconds:.3} s at most", 1000.0 * answer_seconds),
        },
    ];
    Ok(Found {
        challenge: challenge.name.clone(),
        sandbox,
        warmup: ready.warmup,
        interval: ready.interval,
        rows,
        checks,
        start_seconds,
        answer_seconds,
        slowest_seconds,
        sixty_days_seconds,
        log,
    })
}

/// A walk, and how long each answer took.
fn timed(child: &mut Child, feed: &Feed<'_>, path: Path) -> Result<(Answers, Vec<Duration>), WorkshopError> {
    let (mut took, mut last) = (Vec::new(), Instant::now());
    let answers = walk(child, feed, path, 0, &mut |_| {
        took.push(last.elapsed());
        last = Instant::now();
    })?;
    Ok((answers, took))
}

/// A random walk for each asset, with other steps from row `turn` on.
fn made(hello: &Hello, rows: usize, turn: usize, seed: u64) -> Market {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut step = |at: usize| {
        if at == turn {
            generator = ChaCha8Rng::seed_from_u64(seed ^ u64::MAX);
        }
        // About a normal step of 0.1 %.
        let sum: f64 = (0..4).map(|_| (generator.next_u32() as f64 / f64::from(u32::MAX)) - 0.5).sum();
        1.0 + 0.0017 * sum
    };
    let (assets, channels) = (hello.assets.len(), hello.fields.len());
    let mut market = Market { assets, scored_rows: rows, submitted: vec![true; rows], ..Market::default() };
    let mut prices = vec![100.0; assets + channels];
    for row in 0..rows {
        market.sidx.push(1_000_000 + row as i64);
        let first = step(row);
        for (place, price) in prices.iter_mut().enumerate() {
            *price *= if place == 0 { first } else { step(usize::MAX) };
        }
        market.prices.extend(&prices[..assets]);
        market.channels.extend(&prices[assets..]);
    }
    market
}

fn times(rows: usize) -> Vec<f64> {
    (0..rows).map(|row| 1_700_000_000.0 + 5.0 * BLOCK_SECONDS * row as f64).collect()
}
