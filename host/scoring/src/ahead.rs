//! What several configurations ask of one ledger, scored ahead by a batch engine and kept: all of it at once, where one
//! run after the other would give the engine a handful of jobs at a time.

use super::history::History;
use super::memory::PeakMemory;
use super::observer::{Attempt, AttemptState, Observer};
use super::options::Options;
use super::parallel::{Turns, fan_out};
use super::run::{Asked, Place, Run};
use super::saliences::Key;
use mantis_config::{Challenge, Config};
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::History as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A configuration, and what is scored with it.
pub type ScoringSet = (Arc<Config>, Options);

/// Hears of jobs that are done ahead; called from several threads.
pub trait AheadObserver: Observer {
    /// Jobs are about to be given to the engine: their names, each with its challenge.
    fn jobs(&self, jobs: &[(String, String)]);
    /// What becomes of an attempt at a job of this name.
    fn job(&self, name: &str, attempt: &Attempt);
}

/// Scores what is not kept yet, by the engine of the first configuration. A challenge that fails is left to whoever asks for
/// it, who says why. Without an engine, or a cache, nothing is done.
///
/// # Errors
/// If the ledger cannot be read.
pub fn score_ahead(sets: &[ScoringSet], observer: &dyn AheadObserver) -> Result<(), LedgerError> {
    let Some((config, options)) = sets.first() else { return Ok(()) };
    if config.scoring.is_none() || options.saliences.is_none() {
        return Ok(());
    }
    let mut shared = options.clone();
    let place = Place::new(config, &mut shared, observer);
    if !matches!(place, Place::Batch(_)) {
        return Ok(());
    }
    let sets: Vec<ScoringSet> = sets
        .iter()
        .map(|(config, options)| {
            let (scratch, histories) = (shared.scratch.clone(), shared.histories.clone());
            (config.clone(), Options { scratch, histories, ..options.clone() })
        })
        .collect();
    let ledger = Ledger::read(&shared.ledger)?;
    let groups = groups(&sets, &ledger);
    let wanted: Vec<(&Group<'_>, &Wanted<'_>)> =
        groups.iter().flat_map(|group| group.wanted.iter().map(move |wanted| (group, wanted))).collect();
    let names = wanted.iter().map(|(_, one)| (one.key.name().to_owned(), one.challenge.ticker.clone()));
    observer.jobs(&names.collect::<Vec<_>>());
    let (memory, cuts) = (PeakMemory::default(), Turns::new(shared.threads));
    fan_out(place.parallel(shared.threads), &wanted, |(group, one)| {
        let observer = OfJob { name: one.key.name(), all: observer };
        let run = Run {
            config: &one.set.0,
            options: &one.set.1,
            observer: &observer,
            place: &place,
            memory: &memory,
            cuts: &cuts,
        };
        // Why it failed was heard; whoever asks for it will hear it again.
        let _ = group.score(&run, one);
    });
    Ok(())
}

/// What is asked of a snapshot that several configurations share.
struct Group<'a> {
    wanted: Vec<Wanted<'a>>,
    left: AtomicUsize,
    history: Mutex<Option<Arc<History>>>,
}

/// A score that is not kept.
struct Wanted<'a> {
    set: &'a ScoringSet,
    challenge: &'a Challenge,
    key: Key,
}

/// Every score once, with those of the same snapshot together.
fn groups<'a>(sets: &'a [ScoringSet], ledger: &Ledger) -> Vec<Group<'a>> {
    let (mut names, mut groups) = (BTreeSet::new(), BTreeMap::<String, Vec<Wanted<'a>>>::new());
    for set in sets {
        let (config, options) = set;
        let is_asked = |ticker: &String| options.only.as_ref().is_none_or(|only| only.contains(ticker));
        for challenge in config.challenges.iter().filter(|challenge| is_asked(&challenge.ticker)) {
            // What cannot be asked about says why when it is scored.
            let Ok(asked) = Asked::new(config, challenge, ledger, options) else { continue };
            let Some(key) = asked.key(ledger, options) else { continue };
            let is_kept = options.saliences.as_ref().is_some_and(|cache| cache.has(&key));
            if !is_kept && names.insert(key.name().to_owned()) {
                let snapshot = format!("{:?}", asked.request);
                groups.entry(snapshot).or_default().push(Wanted { set, challenge, key });
            }
        }
    }
    let group = |wanted: Vec<Wanted<'a>>| Group {
        left: AtomicUsize::new(wanted.len()),
        wanted,
        history: Mutex::default(),
    };
    groups.into_values().map(group).collect()
}

impl Group<'_> {
    fn score(&self, run: &Run<'_>, one: &Wanted<'_>) -> anyhow::Result<()> {
        let _leaves = Leaves(self);
        let Run { config, options, .. } = run;
        let ledger = Ledger::read(&options.ledger)?;
        ledger.attach_sides(config)?;
        let asked = Asked::new(config, one.challenge, &ledger, options)?;
        let history = {
            let mut made = self.history.lock().unwrap_or_else(PoisonError::into_inner);
            match &*made {
                Some(history) => history.clone(),
                None => made.insert(Arc::new(run.cut(&ledger, &asked)?)).clone(),
            }
        };
        let given = run.given(&asked, history.snapshot.hotkeys(), history.path())?;
        if let Some(cache) = &options.saliences {
            cache.keep(&ledger, &one.key, &asked.needs(), &given);
            cache.note_ahead(&one.key);
        }
        Ok(())
    }
}

/// The snapshot goes with the last job that reads it.
struct Leaves<'a>(&'a Group<'a>);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.0.history.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Names the job that an attempt is at.
struct OfJob<'a> {
    name: &'a str,
    all: &'a dyn AheadObserver,
}

impl Observer for OfJob<'_> {
    fn reading(&self, done: f64) {
        self.all.reading(done);
    }

    fn progress(&self, ticker: &str, done: f64) {
        self.all.progress(ticker, done);
    }

    fn log(&self, ticker: &str, line: &str) {
        self.all.log(ticker, line);
    }

    fn attempt(&self, attempt: &Attempt) {
        self.all.job(self.name, attempt);
        if matches!(attempt.state, AttemptState::Failed { .. } | AttemptState::Fallback) {
            self.all.attempt(attempt);
        }
    }

    fn finished(&self, scored: &mantis_weights::Scored) {
        self.all.finished(scored);
    }
}
