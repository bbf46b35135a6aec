//! From scores to weights.

use crate::chain;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::scoring::Scores;
use crate::weights::{Input, InputError, Neuron, Outcome, Rules, settle};
use thiserror::Error;

/// Why scores do not become weights.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each is another module's error")]
pub enum CycleError {
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    #[error(transparent)]
    Weights(#[from] InputError),
}

/// What the scores of a ledger come to for these neurons, smoothed with the weights of the computation before, if the
/// ledger has one.
///
/// # Errors
/// Where the ledger cannot be read, or the metagraph makes no sense.
pub fn settle_scores(
    config: &Config,
    ledger: &Ledger,
    scores: &Scores,
    neurons: &[chain::Neuron],
) -> Result<Outcome, CycleError> {
    let input = Input {
        salience: scores.total.clone(),
        metagraph: neurons.iter().map(|n| Neuron { uid: n.uid, hotkey: n.hotkey.clone() }).collect(),
        first_block: ledger.first_seen(i64::from(config.network.sample_every))?,
        block: ledger.last_block()?.unwrap_or(0),
        previous: ledger.previous_weights()?.map(|previous| previous.weights),
    };
    Ok(settle(&input, &Rules::from(&config.network))?)
}
