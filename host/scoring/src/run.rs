//! The run over all challenges.

use super::batch::{Batch, kept_histories};
use super::failure::ChallengeError;
use super::given::Given;
use super::history::{History, extend_all, request, with_room};
use super::memory::PeakMemory;
use super::observer::Observer;
use super::options::Options;
use super::parallel::{Turns, fan_out};
use super::saliences::{Key, Needs};
use super::scratch::sweep;
use crate::plugins::{LocateError, Source, locate};
use crate::worker::{Failure, Finished, Job, Task, WorkerError};
use mantis_config::{Challenge, Config};
use mantis_ledger::snapshot::SnapshotRequest;
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::{FactList, Salience, Spec};
use mantis_weights::{MadeWith, Scored, Scores};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Scores a ledger.
///
/// A challenge that cannot be scored is skipped with its reason; the others are not touched by it. The result does
/// not depend on the number of threads.
///
/// # Errors
/// If the ledger cannot be read at all.
pub fn score(config: &Config, options: &Options, observer: &dyn Observer) -> Result<Scores, LedgerError> {
    Ledger::read(&options.ledger)?.check_layout(config)?;
    // What cannot be removed is in the way of nothing; a folder that cannot be made says so below.
    let _ = sweep(&options.scratch);
    let mut options = options.clone();
    let place = Place::new(config, &mut options, observer);
    if let Some(folder) = &options.histories
        && let Err(why) = with_room(folder, &options.ledger)
    {
        observer.log("ledger", &why);
        options.histories = None;
    }
    let options = &options;
    let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
    let wanted =
        |challenge: &&Challenge| options.only.as_ref().is_none_or(|only| only.contains(&challenge.ticker));
    let challenges: Vec<&Challenge> = config.challenges.iter().filter(wanted).collect();
    let mut kept = found(config, &challenges, options);
    let missing: Vec<&Challenge> =
        challenges.iter().copied().filter(|challenge| !kept.contains_key(&challenge.ticker)).collect();
    extend_all(config, &missing, options, observer);
    let (memory, cuts) = (PeakMemory::default(), Turns::new(options.threads));
    let run = Run { config, options, observer, place: &place, memory: &memory, cuts: &cuts };
    // The widest first, as they take longest: a long one that starts last would leave processors idle at the end.
    let mut order: Vec<(usize, &Challenge, Option<Given>)> = challenges
        .into_iter()
        .enumerate()
        .map(|(place, challenge)| (place, challenge, kept.remove(&challenge.ticker)))
        .collect();
    order.sort_by_key(|(_, challenge, _)| Reverse(challenge.storage_dim()));
    let mut scored = fan_out(place.parallel(options.threads), &order, |(place, challenge, kept)| {
        let weight = weights.get(&challenge.ticker).copied().unwrap_or(0.0);
        let given = || kept.clone().map_or_else(|| run.plugin(challenge), Ok);
        (*place, score_one(challenge, weight, options, observer, given))
    });
    scored.sort_by_key(|(place, _)| *place);
    let challenges: Vec<Scored> = scored.into_iter().map(|(_, scored)| scored).collect();
    Ok(Scores::new(challenges, memory.total_kib()))
}

/// What is kept of these challenges' scores, by ticker.
fn found(config: &Config, challenges: &[&Challenge], options: &Options) -> BTreeMap<String, Given> {
    let Some(cache) = &options.saliences else { return BTreeMap::new() };
    let Ok(ledger) = Ledger::read(&options.ledger) else { return BTreeMap::new() };
    let find = |challenge: &&Challenge| {
        // What cannot be asked about is scored, which says why.
        let asked = Asked::new(config, challenge, &ledger, options).ok()?;
        let run = cache.find(&asked.key(&ledger, options)?)?;
        Some((challenge.ticker.clone(), run))
    };
    challenges.iter().filter_map(find).collect()
}

/// One challenge, with the reason if it cannot be scored.
fn score_one(
    challenge: &Challenge,
    weight: f64,
    options: &Options,
    observer: &dyn Observer,
    run: impl FnOnce() -> Result<Given, ChallengeError>,
) -> Scored {
    let started = Instant::now();
    let solver = options.solver.unwrap_or(challenge.solver);
    let mut made_with = MadeWith { solver, runtime: challenge.runtime, sha256: None };
    let mut scored = Scored { ticker: challenge.ticker.clone(), weight, ..Scored::default() };
    match run() {
        Ok(Given { hotkeys, salience, description, sha256 }) => {
            made_with.sha256 = Some(sha256);
            scored.description = Some(description);
            scored.hotkeys = hotkeys;
            scored.skipped = why_unpaid(&salience);
            scored.salience = Some(salience);
        }
        Err(error) => {
            scored.failure = Some(error.cause());
            scored.skipped = Some(error.into_line());
        }
    }
    scored.made_with = Some(made_with);
    scored.seconds = started.elapsed().as_secs_f64();
    observer.finished(&scored);
    scored
}

/// What is asked of a plugin.
pub(super) struct Asked<'a> {
    pub(super) challenge: &'a Challenge,
    plugin: Source,
    spec: Spec,
    pub(super) request: SnapshotRequest,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        config: &Config,
        challenge: &'a Challenge,
        ledger: &Ledger,
        options: &Options,
    ) -> Result<Self, ChallengeError> {
        let facts = fact_lists(challenge, ledger, options)?;
        Ok(Self {
            challenge,
            plugin: source(config, challenge)?,
            spec: challenge.spec(&config.network, options.solver.unwrap_or(challenge.solver)),
            request: request(config, challenge, facts, options),
        })
    }

    pub(super) fn needs(&self) -> Needs<'_> {
        Needs {
            plugin: &self.plugin,
            spec: &self.spec,
            params: &self.challenge.params,
            request: &self.request,
        }
    }

    /// A worker's job about it.
    pub(super) fn job(&self, task: Task) -> Job {
        Job {
            plugin: self.plugin.clone(),
            spec: self.spec.clone(),
            params: self.challenge.params.clone(),
            task,
            beat: None,
        }
    }

    /// By what its score is kept; `None` where none is kept, or nobody can tell. A file that is not the pinned one is not
    /// asked, and rows of another file, or of no ledger, cannot be known again.
    pub(super) fn key(&self, ledger: &Ledger, options: &Options) -> Option<Key> {
        let is_known = self.challenge.file.is_none() && options.guests.is_empty();
        let cache = options.saliences.as_ref().filter(|_| is_known)?;
        let key = cache.key(ledger, &self.needs()).ok()?;
        self.plugin.sha256.as_ref().is_none_or(|pinned| key.is_of(pinned)).then_some(key)
    }
}

/// Where workers run.
pub(super) enum Place {
    /// On this machine.
    Here,
    /// Wherever an engine has room.
    Batch(Box<Batch>),
    /// Nowhere, for this reason.
    Nowhere(String),
}

impl Place {
    /// As the configuration says. Histories lie where the workers can read them.
    pub(super) fn new(config: &Config, options: &mut Options, observer: &dyn Observer) -> Self {
        let Some(engine) = &config.scoring else { return Self::Here };
        match Batch::open(engine, &options.launcher) {
            Ok(batch) => {
                options.scratch = batch.snapshots();
                options.histories = options.histories.take().map(|folder| kept_histories(config, &folder));
                // As for the other folder.
                let _ = sweep(&options.scratch);
                Self::Batch(Box::new(batch))
            }
            Err(error) if engine.fallback => {
                observer.log("scoring", &format!("{error}; challenges are scored on this machine"));
                Self::Here
            }
            Err(error) => Self::Nowhere(error.to_string()),
        }
    }

    /// Workers at the same time.
    pub(super) fn parallel(&self, threads: usize) -> usize {
        match self {
            Self::Batch(batch) => batch.parallel(threads),
            Self::Here | Self::Nowhere(_) => threads,
        }
    }
}

/// A run over challenges.
pub(super) struct Run<'a> {
    pub(super) config: &'a Config,
    pub(super) options: &'a Options,
    pub(super) observer: &'a dyn Observer,
    pub(super) place: &'a Place,
    pub(super) memory: &'a PeakMemory,
    /// Histories that are cut at the same time, however many workers run elsewhere: that is this machine's work.
    pub(super) cuts: &'a Turns,
}

impl Run<'_> {
    /// Snapshot, then worker.
    fn plugin(&self, challenge: &Challenge) -> Result<Given, ChallengeError> {
        let Self { config, options, observer, .. } = self;
        if let Place::Nowhere(why) = self.place {
            return Err(ChallengeError::Batch(why.clone()));
        }
        let ticker = challenge.ticker.as_str();
        let ledger = Ledger::read(&options.ledger)?;
        ledger.attach_sides(config)?;
        let asked = Asked::new(config, challenge, &ledger, options)?;
        let key = asked.key(&ledger, options);
        let (mut again, mut told) = (true, false);
        loop {
            let history = self.cut(&ledger, &asked)?;
            if !std::mem::replace(&mut told, true) {
                observer.history(ticker, &history.snapshot);
            }
            let hotkeys = mantis_plugin_api::History::hotkeys(&history.snapshot).to_vec();
            let run = match self.given(&asked, &hotkeys, history.path()) {
                Ok(run) => run,
                // What was kept is damaged: what the ledger has is not.
                Err(ChallengeError::Worker(WorkerError::Failed(Failure::History(why))))
                    if std::mem::take(&mut again)
                        && history.give_up(&why, &|line| observer.log(ticker, line)) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(cache) = &options.saliences {
                match &key {
                    Some(key) => cache.keep(&ledger, key, &asked.needs(), &run),
                    None => cache.pass(),
                }
            }
            return Ok(run);
        }
    }

    /// The history that a worker reads.
    pub(super) fn cut(&self, ledger: &Ledger, asked: &Asked<'_>) -> Result<History, ChallengeError> {
        let say = |line: &str| self.observer.log(&asked.challenge.ticker, line);
        self.cuts.take(|| History::prepare(ledger, asked.challenge, &asked.request, self.options, &say))
    }

    /// What a worker makes of it, where workers run.
    pub(super) fn given(
        &self,
        asked: &Asked<'_>,
        hotkeys: &[String],
        snapshot: &Path,
    ) -> Result<Given, ChallengeError> {
        let Self { options, observer, place, memory, .. } = self;
        let job = asked.job(Task::Score { snapshot: snapshot.to_path_buf(), digest: None });
        let ticker = job.spec.ticker.as_str();
        observer.progress(ticker, 0.0);
        let launcher = &options.launcher;
        let elsewhere = match place {
            Place::Batch(batch) => batch.run(launcher, &job, *observer)?,
            Place::Here | Place::Nowhere(_) => None,
        };
        let finished = match elsewhere {
            Some(finished) => finished,
            None => {
                let started = Instant::now();
                let progress = |done| observer.progress(ticker, done);
                let finished = launcher.run(&job, progress, |line| observer.log(ticker, line))?;
                memory.worker(started, finished.peak_rss_kib);
                finished
            }
        };
        let Finished { salience, description, sha256, .. } = finished;
        let salience = salience.ok_or(ChallengeError::NoScore)?;
        Ok(Given { hotkeys: hotkeys.to_vec(), salience, description, sha256 })
    }
}

/// The lists of facts that a challenge names, in its order. One that was never complete is not there: what that means,
/// the plugin says.
fn fact_lists(
    challenge: &Challenge,
    ledger: &Ledger,
    options: &Options,
) -> Result<Vec<FactList>, LedgerError> {
    let mut lists = Vec::new();
    for name in &challenge.facts {
        let given = options.facts.iter().find(|list| list.name == *name).cloned();
        let list = match given {
            Some(list) => Some(list),
            None => stored_facts(name, ledger, options)?,
        };
        lists.extend(list);
    }
    Ok(lists)
}

/// A list of the ledger, as it was by the time of the block that counts: what was stated later is left out. Facts without a
/// time are taken as they are; so are all of a ledger that does not know when its blocks were.
fn stored_facts(name: &str, ledger: &Ledger, options: &Options) -> Result<Option<FactList>, LedgerError> {
    let Some(mut list) = ledger.facts(name)? else { return Ok(None) };
    let head = ledger.chain_record()?.head;
    if let Some((as_of, (block, unix))) = options.as_of.zip(head) {
        let time = unix as f64 - BLOCK_SECONDS * (block - as_of.block) as f64;
        let is_later = |stated: Option<f64>| stated.is_some_and(|stated| stated > time);
        if is_later(list.time) {
            list.rows.retain(|row| !is_later(row.time));
            list.block = list.rows.iter().filter_map(|row| row.block).max().or(list.block);
            list.time = Some(time);
        }
    }
    Ok(Some(list))
}

/// From one block of the chain to the next, s.
const BLOCK_SECONDS: f64 = 12.0;

/// The file of a challenge's plugin, and how it is loaded.
///
/// # Errors
/// If it is not there.
pub(super) fn source(config: &Config, challenge: &Challenge) -> Result<Source, LocateError> {
    Ok(Source {
        path: locate(&challenge.plugin, &config.plugin_dir, challenge.runtime)?,
        runtime: challenge.runtime,
        sha256: challenge.sha256.map(hex::encode),
        memory_mib: config.memory_mib(challenge.runtime),
    })
}

fn why_unpaid(salience: &Salience) -> Option<String> {
    salience.empty.clone().or_else(|| {
        let unpaid = salience.burn <= 0.0 && salience.miners.iter().all(|miner| miner.salience <= 0.0);
        unpaid.then(|| {
            if salience.miners.is_empty() { "no miner has sent anything" } else { "no miner earns anything" }
                .into()
        })
    })
}
