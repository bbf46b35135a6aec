//! The run over all challenges.

use super::failure::ChallengeError;
use super::given::Given;
use super::history::{History, extend_all, request, with_room};
use super::memory::PeakMemory;
use super::observer::Observer;
use super::options::Options;
use super::parallel::fan_out;
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
    let memory = PeakMemory::default();
    // The widest first, as they take longest: a long one that starts last would leave processors idle at the end.
    let mut order: Vec<(usize, &Challenge, Option<Given>)> = challenges
        .into_iter()
        .enumerate()
        .map(|(place, challenge)| (place, challenge, kept.remove(&challenge.ticker)))
        .collect();
    order.sort_by_key(|(_, challenge, _)| Reverse(challenge.storage_dim()));
    let mut scored = fan_out(options.threads, &order, |(place, challenge, kept)| {
        let weight = weights.get(&challenge.ticker).copied().unwrap_or(0.0);
        let run =
            || kept.clone().map_or_else(|| run_plugin(config, challenge, options, observer, &memory), Ok);
        (*place, score_one(challenge, weight, options, observer, run))
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
struct Asked<'a> {
    challenge: &'a Challenge,
    plugin: Source,
    spec: Spec,
    request: SnapshotRequest,
}

impl<'a> Asked<'a> {
    fn new(
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

    fn needs(&self) -> Needs<'_> {
        Needs {
            plugin: &self.plugin,
            spec: &self.spec,
            params: &self.challenge.params,
            request: &self.request,
        }
    }

    /// By what its score is kept; `None` where none is kept, or nobody can tell. A file that is not the pinned one is not
    /// asked, and rows of another file, or of no ledger, cannot be known again.
    fn key(&self, ledger: &Ledger, options: &Options) -> Option<Key> {
        let is_known = self.challenge.file.is_none() && options.guests.is_empty();
        let cache = options.saliences.as_ref().filter(|_| is_known)?;
        let key = cache.key(ledger, &self.needs()).ok()?;
        self.plugin.sha256.as_ref().is_none_or(|pinned| key.is_of(pinned)).then_some(key)
    }
}

/// Snapshot, then worker.
fn run_plugin(
    config: &Config,
    challenge: &Challenge,
    options: &Options,
    observer: &dyn Observer,
    memory: &PeakMemory,
) -> Result<Given, ChallengeError> {
    let ticker = challenge.ticker.as_str();
    let ledger = Ledger::read(&options.ledger)?;
    ledger.attach_sides(config)?;
    let asked = Asked::new(config, challenge, &ledger, options)?;
    let key = asked.key(&ledger, options);
    let say = |line: &str| observer.log(ticker, line);
    let (mut again, mut told) = (true, false);
    loop {
        let history = History::prepare(&ledger, challenge, &asked.request, options, &say)?;
        if !std::mem::replace(&mut told, true) {
            observer.history(ticker, &history.snapshot);
        }
        observer.progress(ticker, 0.0);
        let job = Job {
            plugin: asked.plugin.clone(),
            spec: asked.spec.clone(),
            params: challenge.params.clone(),
            task: Task::Score { snapshot: history.path().to_path_buf() },
        };
        let started = Instant::now();
        let Finished { salience, description, sha256, peak_rss_kib, .. } =
            match options.launcher.run(&job, |done| observer.progress(ticker, done), say) {
                Ok(finished) => finished,
                // What was kept is damaged: what the ledger has is not.
                Err(WorkerError::Failed(Failure::History(why)))
                    if std::mem::take(&mut again) && history.give_up(&why, &say) =>
                {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
        memory.worker(started, peak_rss_kib);
        let run = Given {
            hotkeys: mantis_plugin_api::History::hotkeys(&history.snapshot).to_vec(),
            salience: salience.ok_or(ChallengeError::NoScore)?,
            description,
            sha256,
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
