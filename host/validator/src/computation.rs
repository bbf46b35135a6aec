//! From scores to weights.

use crate::hold::hold_failed;
use mantis_config::{Block, Config};
use mantis_ledger::snapshot::KeptHistory;
use mantis_ledger::{Activities, Basis, Computation, Ledger, LedgerError};
use mantis_network::chain::{self, DAY_BLOCKS};
use mantis_plugin_api::Solver;
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Observer, Options, score};
use mantis_weights::Scores;
use mantis_weights::{Input, InputError, Neuron, Outcome, SettleRules, settle};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use thiserror::Error;

/// Why scores do not become weights.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each is another module's error")]
pub enum ComputationError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Weights(#[from] InputError),
}

/// What the scores of a ledger come to for these neurons, smoothed with the weights of the computation before, if the
/// ledger has one. Earlier saliences stand in for challenges that failed, as a validator has them. `histories` is the folder of
/// the ledger's kept histories, if they are used. `guests` are the blocks of the first vectors of those that are not in the
/// ledger.
///
/// # Errors
/// If the ledger cannot be read, or the metagraph makes no sense.
pub fn weights_of_scores(
    config: &Config,
    ledger: &Ledger,
    histories: Option<&Path>,
    scores: &Scores,
    neurons: &[chain::Neuron],
    guests: &BTreeMap<String, Block>,
) -> Result<Outcome, ComputationError> {
    let block = ledger.last_block()?.unwrap_or_default();
    weights_at(block, config, (ledger, histories), &mut scores.clone(), neurons, guests)
}

/// The same for the metagraph of a block. What stands in for a challenge that failed is put into the scores.
fn weights_at(
    block: Block,
    config: &Config,
    (ledger, histories): (&Ledger, Option<&Path>),
    scores: &mut Scores,
    neurons: &[chain::Neuron],
    guests: &BTreeMap<String, Block>,
) -> Result<Outcome, ComputationError> {
    if let Some(rejection) = hold_failed(config, ledger, block, scores)? {
        return Ok(Outcome::Rejected(rejection));
    }
    let mut first_block = ledger.first_seen(histories, config.network.sample_every)?;
    for (guest, first) in guests {
        let known = first_block.entry(guest.clone()).or_insert(*first);
        *known = *first.min(known);
    }
    let input = Input {
        salience: scores.total.clone(),
        burn: scores.burn,
        metagraph: neurons.iter().map(|n| Neuron { uid: n.uid, hotkey: n.hotkey.clone() }).collect(),
        first_block,
        block,
        previous: ledger.weights_before(block)?.map(|previous| previous.weights),
    };
    Ok(settle(&input, &SettleRules::from(&config.network))?)
}

/// A computation of weights.
pub struct ComputationJob {
    /// The configuration.
    pub config: Arc<Config>,
    /// The ledger; it is only read.
    pub ledger: PathBuf,
    /// Who is registered.
    pub neurons: Vec<chain::Neuron>,
    /// The block it is for.
    pub block: Block,
    /// Overrides where model fits stop.
    pub solver: Option<Solver>,
    /// Challenges scored at the same time, at least 1.
    pub threads: usize,
    /// Folder of kept histories; `None`: none is kept.
    pub histories: Option<PathBuf>,
    /// Folder for histories that are not kept, which are removed at the end.
    pub scratch: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
}

impl ComputationJob {
    /// Scores the ledger and settles the weights: the scores, and what is kept of all. Takes minutes; writes nothing.
    pub fn run(self, observer: &dyn Observer) -> Result<(Scores, Computation), ComputationError> {
        let Self { config, ledger, neurons, block, solver, threads, histories, scratch, launcher } = self;
        let max_block = block - i64::from(config.network.task_interval);
        let options = Options {
            ledger,
            max_block: Some(max_block),
            only: None,
            guests: BTreeMap::new(),
            active: Some(neurons.iter().map(|neuron| neuron.hotkey.clone()).collect()),
            solver,
            threads,
            facts: Vec::new(),
            histories,
            scratch,
            launcher,
        };
        if let Some(folder) = &options.histories {
            let stored = Ledger::read(&options.ledger)?.tickers()?;
            // What cannot be removed is in the way of nothing.
            let _ = KeptHistory::sweep(
                folder,
                &stored.into_iter().map(|ticker| ticker.ticker).collect::<Vec<_>>(),
            );
        }
        let started = Instant::now();
        let mut scores = score(&config, &options, observer)?;
        let seconds = started.elapsed().as_secs_f64();
        let ledger = Ledger::read(&options.ledger)?;
        let histories = options.histories.as_deref();
        let guests = BTreeMap::new();
        let outcome = weights_at(block, &config, (&ledger, histories), &mut scores, &neurons, &guests)?;
        let computation = recorded(block, max_block, seconds, &config, &ledger, &scores, outcome)?;
        Ok((scores, computation))
    }
}

/// What is kept of a computation for `block` that scored rows up to `max_block` in so many seconds.
fn recorded(
    block: Block,
    max_block: Block,
    seconds: f64,
    config: &Config,
    ledger: &Ledger,
    scores: &Scores,
    outcome: Outcome,
) -> Result<Computation, LedgerError> {
    let (settlements, rejected) = match outcome {
        Outcome::Weights(settlements) => (settlements, None),
        Outcome::Rejected(reason) => (Vec::new(), Some(reason.to_string())),
    };
    let every = config.network.sample_every;
    // The stretch in which is looked how miners send.
    let day = (max_block - DAY_BLOCKS).sidx(every) + 1..=max_block.sidx(every);
    let mut activities = Activities::new();
    for scored in &scores.challenges {
        activities.insert(scored.ticker.clone(), ledger.activity(&scored.ticker, day.clone())?);
    }
    Ok(Computation {
        block,
        max_block,
        unix: super::clock::unix(),
        seconds,
        rejected,
        basis: Some(Basis { config: config.digest(), rules: SettleRules::from(&config.network) }),
        scored: scores.challenges.clone(),
        activities,
        settlements,
    })
}
