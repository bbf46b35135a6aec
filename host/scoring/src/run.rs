//! The run over all challenges.

use super::failure::ChallengeError;
use super::history::{History, extend_all, request, with_room};
use super::memory::PeakMemory;
use super::observer::Observer;
use super::options::Options;
use super::parallel::fan_out;
use super::scratch::sweep;
use crate::plugins::{LocateError, Source, locate};
use crate::worker::{Failure, Finished, Job, Task, WorkerError};
use mantis_config::{Challenge, Config};
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::{Description, FactList, Salience};
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
    extend_all(config, &challenges, options, observer);
    let memory = PeakMemory::default();
    // The widest first, as they take longest: a long one that starts last would leave processors idle at the end.
    let mut order: Vec<(usize, &Challenge)> = challenges.into_iter().enumerate().collect();
    order.sort_by_key(|(_, challenge)| Reverse(challenge.storage_dim()));
    let mut scored = fan_out(options.threads, &order, |&(place, challenge)| {
        let weight = weights.get(&challenge.ticker).copied().unwrap_or(0.0);
        (place, score_one(config, challenge, weight, options, observer, &memory))
    });
    scored.sort_by_key(|(place, _)| *place);
    let challenges: Vec<Scored> = scored.into_iter().map(|(_, scored)| scored).collect();
    Ok(Scores::new(challenges, memory.total_kib()))
}

/// One challenge, with the reason if it cannot be scored.
fn score_one(
    config: &Config,
    challenge: &Challenge,
    weight: f64,
    options: &Options,
    observer: &dyn Observer,
    memory: &PeakMemory,
) -> Scored {
    let started = Instant::now();
    let solver = options.solver.unwrap_or(challenge.solver);
    let mut made_with = MadeWith { solver, runtime: challenge.runtime, sha256: None };
    let mut scored = Scored { ticker: challenge.ticker.clone(), weight, ..Scored::default() };
    match run_plugin(config, challenge, options, observer, memory) {
        Ok(Run { hotkeys, salience, description, sha256 }) => {
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

/// What a plugin gave.
struct Run {
    hotkeys: Vec<String>,
    salience: Salience,
    description: Description,
    sha256: String,
}

/// Snapshot, then worker.
fn run_plugin(
    config: &Config,
    challenge: &Challenge,
    options: &Options,
    observer: &dyn Observer,
    memory: &PeakMemory,
) -> Result<Run, ChallengeError> {
    let ticker = challenge.ticker.as_str();
    let plugin = source(config, challenge)?;
    let ledger = Ledger::read(&options.ledger)?;
    ledger.attach_sides(config)?;
    let facts = fact_lists(challenge, &ledger, options)?;
    let request = request(config, challenge, facts, options);
    let say = |line: &str| observer.log(ticker, line);
    let (mut again, mut told) = (true, false);
    loop {
        let history = History::prepare(&ledger, challenge, &request, options, &say)?;
        if !std::mem::replace(&mut told, true) {
            observer.history(ticker, &history.snapshot);
        }
        observer.progress(ticker, 0.0);
        let job = Job {
            plugin: plugin.clone(),
            spec: challenge.spec(&config.network, options.solver.unwrap_or(challenge.solver)),
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
        return Ok(Run {
            hotkeys: mantis_plugin_api::History::hotkeys(&history.snapshot).to_vec(),
            salience: salience.ok_or(ChallengeError::NoScore)?,
            description,
            sha256,
        });
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
            None => ledger.facts(name)?,
        };
        lists.extend(list);
    }
    Ok(lists)
}

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
