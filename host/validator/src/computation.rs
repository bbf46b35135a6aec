//! From scores to weights.

use crate::earlier::Earlier;
use crate::hold::hold_failed;
use mantis_config::{Block, Config};
use mantis_ledger::snapshot::{AsOf, KeptHistory};
use mantis_ledger::{Activities, Basis, Computation, Ledger, LedgerError};
use mantis_network::chain::{self, DAY_BLOCKS};
use mantis_plugin_api::Solver;
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Observer, Options, kept_histories, score};
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
    let first = || {
        let mut first = ledger.first_seen(histories, config.network.sample_every)?;
        for (guest, block) in guests {
            let known = first.entry(guest.clone()).or_insert(*block);
            *known = *block.min(known);
        }
        Ok(first)
    };
    let neurons = neurons.iter().map(neuron).collect();
    weights_at(block, config, ledger, first, &mut scores.clone(), neurons)
}

/// The same for the metagraph of a block, with each hotkey's first block and the computations before this one. What stands in
/// for a challenge that failed is put into the scores.
pub(crate) fn weights_at(
    block: Block,
    config: &Config,
    earlier: &dyn Earlier,
    first_block: impl FnOnce() -> Result<BTreeMap<String, Block>, LedgerError>,
    scores: &mut Scores,
    metagraph: Vec<Neuron>,
) -> Result<Outcome, ComputationError> {
    if let Some(rejection) = hold_failed(config, earlier, block, scores)? {
        return Ok(Outcome::Rejected(rejection));
    }
    let input = Input {
        salience: scores.total.clone(),
        burn: scores.burn,
        metagraph,
        first_block: first_block()?,
        block,
        previous: earlier.weights_before(block)?,
    };
    Ok(settle(&input, &SettleRules::from(&config.network))?)
}

/// The hotkeys that were known by a block of the past: those whose first vector was open by then.
pub(crate) fn known_by(mut first: BTreeMap<String, Block>, as_of: AsOf) -> BTreeMap<String, Block> {
    first.retain(|_, block| *block <= as_of.opened);
    first
}

fn neuron(neuron: &chain::Neuron) -> Neuron {
    Neuron { uid: neuron.uid, hotkey: neuron.hotkey.clone() }
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
    /// Whether the ledger is taken as it was at that block, and not as it is: for blocks of the past.
    pub in_past: bool,
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
        let Self { config, ledger, neurons, block, in_past, solver, threads, histories, scratch, launcher } =
            self;
        let metagraph: Vec<Neuron> = neurons.iter().map(neuron).collect();
        let histories = histories.map(|folder| kept_histories(&config, &folder));
        let base = Options {
            ledger,
            max_block: None,
            as_of: None,
            only: None,
            guests: BTreeMap::new(),
            active: None,
            solver,
            threads,
            facts: Vec::new(),
            histories,
            saliences: None,
            scratch,
            launcher,
        };
        let options = options_at(block, &config, &metagraph, in_past, base);
        let max_block = scored_to(block, &config);
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
        let first = || {
            let first = ledger.first_seen(options.histories.as_deref(), config.network.sample_every)?;
            Ok(match options.as_of {
                Some(as_of) => known_by(first, as_of),
                None => first,
            })
        };
        let outcome = weights_at(block, &config, &ledger, first, &mut scores, metagraph)?;
        let computation = recorded(block, max_block, seconds, &config, &ledger, &scores, outcome)?;
        Ok((scores, computation))
    }
}

/// With what a block is scored, where all else is as in `options`.
pub(crate) fn options_at(
    block: Block,
    config: &Config,
    metagraph: &[Neuron],
    in_past: bool,
    options: Options,
) -> Options {
    Options {
        max_block: Some(scored_to(block, config)),
        as_of: in_past.then(|| AsOf::at(block, config.network.maturity())),
        active: Some(metagraph.iter().map(|neuron| neuron.hotkey.clone()).collect()),
        ..options
    }
}

/// The newest block whose row counts for the weights of a block.
fn scored_to(block: Block, config: &Config) -> Block {
    block - i64::from(config.network.task_interval)
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
