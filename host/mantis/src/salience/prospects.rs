//! What guests would earn: scored by the plugins, at the newest block and at some before it.

use super::collector::{Entrant, Taken};
use super::draw::draw;
use super::facts::check_facts;
use super::place::Place;
use super::uniqueness::{Uniqueness, uniqueness};
use super::{Marks, SalienceError};
use mantis_config::{Block, Challenge, Config};
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::History;
use mantis_scoring::{Observer, Options, fan_out, score};
use mantis_weights::Scored;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What is to be scored, and how.
pub struct Plan<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The ledger, and with what it is scored. Histories that are kept are not used, `only` and `guests` not looked at.
    pub options: &'a Options,
    /// How many miners of the ledger are kept, drawn by `seed`; `None`: all.
    pub competitors: Option<usize>,
    /// Draws the competitors.
    pub seed: u64,
    /// Blocks between two computations.
    pub blocks_apart: u32,
    /// Computations before the newest.
    pub computations: u32,
}

/// What a guest would earn of one challenge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prospects {
    /// The challenge's name.
    pub challenge: String,
    /// Its ticker.
    pub ticker: String,
    /// What the column is called.
    pub name: String,
    /// What became of the file's rows.
    pub taken: Taken,
    /// Where it stands, at the newest block first.
    pub places: Vec<Place>,
    /// What the challenge counts for of all weights, if all challenges pay.
    pub weight: f64,
    /// What it would be of all weights at the newest block, if all challenges pay: `weight` x salience.
    pub of_weights: f64,
    /// The same after the burn.
    pub of_emission: f64,
    /// How much of it is in no other miner's; `None` if it sent nothing that varies.
    pub uniqueness: Option<Uniqueness>,
    /// Whether it reaches both marks in every computation.
    pub pass: bool,
}

/// Has each guest scored, several at a time; in the order of `entrants`.
///
/// # Errors
/// If the ledger cannot be read, or a challenge cannot be scored.
pub fn prospects(
    plan: &Plan<'_>,
    entrants: &[Entrant],
    observer: &dyn Observer,
) -> Result<Vec<Prospects>, SalienceError> {
    check_facts(plan.config, plan.options, entrants)?;
    fan_out(plan.options.threads, entrants, |entrant| of_one(plan, entrant, observer)).into_iter().collect()
}

fn challenge<'a>(plan: &Plan<'a>, ticker: &str) -> Result<&'a Challenge, SalienceError> {
    let found = plan.config.challenges.iter().find(|challenge| challenge.ticker == ticker);
    found.ok_or_else(|| refused(ticker, "the configuration has no such challenge".into()))
}

fn of_one(plan: &Plan<'_>, entrant: &Entrant, observer: &dyn Observer) -> Result<Prospects, SalienceError> {
    let challenge = challenge(plan, &entrant.ticker)?;
    let name = &entrant.guest.name;
    let ledger = Ledger::read(&plan.options.ledger)?;
    ledger.attach_sides(plan.config)?;
    let blocks = blocks(plan, &ledger, challenge)?;
    let options = Options {
        only: Some([entrant.ticker.clone()].into()),
        active: competitors(plan, &ledger, entrant, blocks.first().copied())?,
        guests: [(entrant.ticker.clone(), entrant.guest.clone())].into(),
        threads: 1,
        histories: None,
        ..plan.options.clone()
    };
    drop(ledger);
    let mut places = Vec::with_capacity(blocks.len());
    let mut own = None;
    for (at, block) in blocks.into_iter().enumerate() {
        let listener =
            Listener { observer, name, dim: challenge.dim, wanted: at == 0, uniqueness: Mutex::default() };
        let scores = score(plan.config, &Options { max_block: Some(block), ..options.clone() }, &listener)?;
        let Some(scored) = scores.challenges.first() else {
            return Err(refused(&entrant.ticker, "it was not scored".into()));
        };
        if scored.failure.is_some() || scored.salience.is_none() {
            let why = scored.skipped.clone().unwrap_or_else(|| "it gave no score".into());
            return Err(refused(&entrant.ticker, format!("it cannot be scored at block {}: {why}", block.0)));
        }
        places.push(Place::new(scored, name, block.0));
        if let Some(found) = listener.uniqueness.into_inner().unwrap_or_else(PoisonError::into_inner) {
            own = found.map_err(|why| refused(&entrant.ticker, why))?;
        }
    }
    let weight = weight(plan.config, &entrant.ticker);
    let of_weights = weight * places.first().map_or(0.0, |place| place.salience);
    Ok(Prospects {
        challenge: challenge.name.clone(),
        ticker: entrant.ticker.clone(),
        name: name.clone(),
        taken: entrant.taken.clone(),
        pass: places.iter().all(|place| Marks::pass(place.marks)),
        places,
        weight,
        of_weights,
        of_emission: of_weights * (1.0 - plan.config.network.burn),
        uniqueness: own,
    })
}

/// The newest blocks to score up to, the newest first.
fn blocks(plan: &Plan<'_>, ledger: &Ledger, challenge: &Challenge) -> Result<Vec<Block>, SalienceError> {
    let every = plan.config.network.sample_every;
    let stored = ledger.tickers()?.into_iter().find(|ticker| ticker.ticker == challenge.ticker);
    let Some((first, last)) = stored.and_then(|ticker| ticker.sidx) else {
        return Err(refused(&challenge.ticker, "the ledger has no rows of it".into()));
    };
    let (first, newest) = (first.block(every), plan.options.max_block.unwrap_or(last.block(every)));
    let apart = i64::from(plan.blocks_apart);
    let oldest = newest.0.saturating_sub(apart.saturating_mul(i64::from(plan.computations)));
    if oldest < first.0 {
        let reason = format!(
            "{} computations {apart} blocks apart before block {} begin before the ledger, whose first row of it is of \
             block {}; ask for fewer with --computations",
            plan.computations, newest.0, first.0
        );
        return Err(refused(&challenge.ticker, reason));
    }
    Ok((0..=i64::from(plan.computations)).map(|k| Block(newest.0 - k * apart)).collect())
}

/// Who may be a column beside the guest; `None`: everybody who has one.
fn competitors(
    plan: &Plan<'_>,
    ledger: &Ledger,
    entrant: &Entrant,
    newest: Option<Block>,
) -> Result<Option<BTreeSet<String>>, LedgerError> {
    let active = &plan.options.active;
    let Some(count) = plan.competitors else { return Ok(active.clone()) };
    let last = newest.unwrap_or_default().sidx(plan.config.network.sample_every);
    let mut names = ledger.hotkeys(&entrant.ticker, last)?;
    names.retain(|name| *name != entrant.guest.name);
    names.retain(|name| active.as_ref().is_none_or(|active| active.contains(name)));
    Ok(Some(draw(names, count, plan.seed)))
}

/// What a challenge counts for, if all pay.
fn weight(config: &Config, ticker: &str) -> f64 {
    let weights = config.weights();
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let own = weights.iter().find(|(of, _)| of == ticker).map_or(0.0, |(_, weight)| *weight);
    if sum > 0.0 { own / sum } else { 0.0 }
}

fn refused(ticker: &str, reason: String) -> SalienceError {
    SalienceError::Challenge { ticker: ticker.into(), reason }
}

/// Hears of a run, and measures the guest's column where that is wanted.
struct Listener<'a> {
    observer: &'a dyn Observer,
    name: &'a str,
    dim: usize,
    wanted: bool,
    uniqueness: Mutex<Option<Result<Option<Uniqueness>, String>>>,
}

impl Observer for Listener<'_> {
    fn reading(&self, done: f64) {
        self.observer.reading(done);
    }

    fn history(&self, ticker: &str, history: &dyn History) {
        self.observer.history(ticker, history);
        if self.wanted {
            let found = uniqueness(history, self.name, self.dim).map_err(|error| error.to_string());
            *self.uniqueness.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        }
    }

    fn progress(&self, ticker: &str, done: f64) {
        self.observer.progress(ticker, done);
    }

    fn log(&self, ticker: &str, line: &str) {
        self.observer.log(ticker, line);
    }

    fn finished(&self, scored: &Scored) {
        self.observer.finished(scored);
    }
}
