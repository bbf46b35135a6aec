//! How things stand after the last computation.

use super::series::{Series, all_series};
use mantis_config::{Block, Config};
use mantis_ledger::{Activities, Computation, Ledger, LedgerError, Past};
use mantis_weights::{Outcome, Scored, Scores, Shares, on_chain};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Computations at most whose weights are drawn.
const DRAWN: usize = 90;

/// How things stand after the last computation. It is read once, then shared.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The configuration that runs.
    pub config: Arc<Config>,
    /// When weights were computed last; `None` if they never were, or if this is a run of its own.
    pub computed: Option<Computed>,
    /// What each challenge gave, in the order of the configuration then. No challenges if nothing was computed.
    pub scores: Scores,
    /// The weights that came of it; no steps if nothing was computed.
    pub outcome: Outcome,
    /// The weights of the computations before.
    pub past: Past,
    /// How miners send, by ticker and hotkey.
    pub activities: Activities,
    /// What is known of a hotkey beside its name: `skilled 0.24`. Empty but in a demo.
    pub about: BTreeMap<String, String>,
    /// Prices, or rates, by the ticker that they are stored under.
    pub(crate) series: BTreeMap<String, Arc<Series>>,
    /// What each challenge in `scores` pays to miners: see [`Scored::shares`].
    shares: Vec<BTreeMap<String, f64>>,
    /// What the chain is given by UID, 0 to 65,535.
    on_chain: BTreeMap<u16, u16>,
}

/// A computation of weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Computed {
    /// The block it was for.
    pub block: Block,
    /// The newest block whose row was scored.
    pub max_block: Block,
    /// When it ended, Unix seconds.
    pub unix: u64,
    /// How long it took, s.
    pub seconds: f64,
}

impl Standing {
    /// Reads how things stand after the ledger's last computation; it takes a second or two if the ledger is full.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn read(
        ledger: &Ledger,
        config: Arc<Config>,
        about: BTreeMap<String, String>,
    ) -> Result<Self, LedgerError> {
        let _moment = ledger.freeze()?;
        let last = ledger.last_computation()?;
        let computed = last.as_ref().map(|cycle| Computed {
            block: cycle.block,
            max_block: cycle.max_block,
            unix: cycle.unix,
            seconds: cycle.seconds,
        });
        let challenges = match &last {
            Some(cycle) => ledger.scored(cycle.block)?,
            None => Vec::new(),
        };
        let outcome = last.map_or(Outcome::Weights(Vec::new()), Computation::into_outcome);
        let standing = Self::after_run(ledger, config, Scores::new(challenges, 0), outcome, about)?;
        Ok(Self { computed, ..standing })
    }

    /// How things stand after a run whose scores and weights need not be in the ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn after_run(
        ledger: &Ledger,
        config: Arc<Config>,
        scores: Scores,
        outcome: Outcome,
        about: BTreeMap<String, String>,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            computed: None,
            past: ledger.past_weights(DRAWN)?,
            activities: ledger.activities()?,
            series: all_series(ledger, &config)?,
            shares: scores.challenges.iter().map(|scored| scored.shares().miners).collect(),
            on_chain: on_chain(outcome.settlements()),
            config,
            scores,
            outcome,
            about,
        })
    }

    /// Each challenge with what its miners get of what it pays, by hotkey: parts of 1, or empty if it pays no miner.
    pub fn challenges(&self) -> impl Iterator<Item = (&Scored, &BTreeMap<String, f64>)> {
        self.scores.challenges.iter().zip(&self.shares)
    }

    /// What the chain is given for a UID, 0 to 65,535.
    #[must_use]
    pub fn on_chain(&self, uid: u16) -> u16 {
        self.on_chain.get(&uid).copied().unwrap_or(0)
    }

    /// What each challenge would count for, by ticker, with these weights; those that pay no miner, and burn
    /// nothing, count for nothing. Sums to 1, or is all zero.
    #[must_use]
    pub fn counts_with(&self, weights: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
        let pays = |ticker: &str| self.scored(ticker).is_some_and(Scored::counts);
        let paying = |(ticker, weight): (&String, &f64)| if pays(ticker) { *weight } else { 0.0 };
        let sum: f64 = weights.iter().map(paying).sum();
        let part = |weight: f64| if sum > 0.0 { weight / sum } else { 0.0 };
        weights.iter().map(|entry| (entry.0.clone(), part(paying(entry)))).collect()
    }

    /// What each challenge counted for in the computation, by ticker: its part of the weights of all that paid.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, f64> {
        let weights = self.scores.challenges.iter().map(|scored| (scored.ticker.clone(), scored.weight));
        self.counts_with(&weights.collect())
    }

    /// The total salience by hotkey with other weights of the challenges: what the weights follow from, before burn and
    /// smoothing. Challenges that are not named keep theirs.
    #[must_use]
    pub fn total_with(&self, weights: &BTreeMap<String, f64>) -> Shares {
        self.scores.total_with(|scored| weights.get(&scored.ticker).copied().unwrap_or(scored.weight))
    }

    /// What a challenge gave.
    #[must_use]
    pub fn scored(&self, ticker: &str) -> Option<&Scored> {
        self.scores.challenges.iter().find(|scored| scored.ticker == ticker)
    }

    /// Whether anything is known of a hotkey.
    #[must_use]
    pub fn knows(&self, hotkey: &str) -> bool {
        self.outcome.settlements().iter().any(|step| step.hotkey == hotkey)
            || self.scores.challenges.iter().any(|scored| scored.hotkeys.iter().any(|known| known == hotkey))
            || self.past.weights.contains_key(hotkey)
            || self.about.contains_key(hotkey)
    }
}
