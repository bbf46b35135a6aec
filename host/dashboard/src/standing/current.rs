//! How things stand after the last computation.

use super::series::{Series, series};
use mantis_config::{Config, QuoteKind};
use mantis_ledger::{Activities, Cycle, Ledger, LedgerError, Past};
use mantis_weights::{Outcome, aggregate};
use mantis_weights::{Scored, Scores};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Computations at most whose weights are drawn.
pub(crate) const DRAWN: usize = 90;

/// How things stand after the last computation. It is read once, then shared.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The configuration that runs.
    pub config: Arc<Config>,
    /// When weights were computed last; `None` where they never were.
    pub computed: Option<Computed>,
    /// What each challenge gave, in the order of the configuration then. No challenges where nothing was computed.
    pub scores: Scores,
    /// The weights that came of it; no steps where nothing was computed.
    pub outcome: Outcome,
    /// The weights of the computations before.
    pub past: Past,
    /// How miners send, by ticker and hotkey.
    pub activities: Activities,
    /// Prices, or rates, by the ticker that they are stored under.
    pub(crate) series: BTreeMap<String, Arc<Series>>,
    /// What is known of a hotkey beside its name: `skilled 0.24`. Empty but in a demo.
    pub about: BTreeMap<String, String>,
}

/// A computation of weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Computed {
    /// The block it was for.
    pub block: i64,
    /// The newest block whose row was scored.
    pub max_block: i64,
    /// When it ended, Unix seconds.
    pub unix: u64,
    /// How long it took, s.
    pub seconds: f64,
}

impl Standing {
    /// Reads how things stand; it takes a second or two where the ledger is full.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn read(
        ledger: &Ledger,
        config: Arc<Config>,
        about: BTreeMap<String, String>,
    ) -> Result<Self, LedgerError> {
        let _moment = ledger.freeze()?;
        let last = ledger.last_cycle()?;
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
        let outcome = last.map_or(Outcome::Weights(Vec::new()), Cycle::into_outcome);
        let past = ledger.past_weights(DRAWN)?;
        Ok(Self {
            scores: Scores { total: total(&challenges), challenges, peak_rss_kib: 0 },
            computed,
            outcome,
            past,
            activities: ledger.activities()?,
            series: all_series(ledger, &config)?,
            config,
            about,
        })
    }

    /// What each challenge counts for, by ticker, were these the weights; those that pay nobody count for nothing. Sums to 1, or is all
    /// zero.
    #[must_use]
    pub fn shares(&self, weights: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
        let pays = |ticker: &str| self.scored(ticker).is_some_and(|scored| !scored.shares().is_empty());
        let counts = |(ticker, weight): (&String, &f64)| if pays(ticker) { *weight } else { 0.0 };
        let sum: f64 = weights.iter().map(counts).sum();
        let share = |x: f64| if sum > 0.0 { x / sum } else { 0.0 };
        weights.iter().map(|entry| (entry.0.clone(), share(counts(entry)))).collect()
    }

    /// What each challenge counted for in the computation, by ticker: its part of the weights of all that paid.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, f64> {
        let weights = self.scores.challenges.iter().map(|scored| (scored.ticker.clone(), scored.weight));
        self.shares(&weights.collect())
    }

    /// The total salience by hotkey, were these the challenges' weights: what the weights follow from, before burn and
    /// smoothing.
    #[must_use]
    pub fn what_if(&self, weights: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
        let weight = |scored: &Scored| weights.get(&scored.ticker).copied().unwrap_or(scored.weight);
        let parts: Vec<_> = self
            .scores
            .challenges
            .iter()
            .map(|scored| (scored.ticker.clone(), weight(scored), scored.shares()))
            .collect();
        aggregate(&parts)
    }

    /// What a challenge gave.
    #[must_use]
    pub fn scored(&self, ticker: &str) -> Option<&Scored> {
        self.scores.challenges.iter().find(|scored| scored.ticker == ticker)
    }

    /// Whether anything is known of a hotkey.
    #[must_use]
    pub fn knows(&self, hotkey: &str) -> bool {
        self.outcome.steps().iter().any(|step| step.hotkey == hotkey)
            || self.scores.challenges.iter().any(|scored| scored.hotkeys.iter().any(|known| known == hotkey))
            || self.past.weights.contains_key(hotkey)
            || self.about.contains_key(hotkey)
    }
}

fn total(challenges: &[Scored]) -> BTreeMap<String, f64> {
    let parts: Vec<_> = challenges.iter().map(|c| (c.ticker.clone(), c.weight, c.shares())).collect();
    aggregate(&parts)
}

/// The prices of all challenges, each ticker's once.
pub(crate) fn all_series(
    ledger: &Ledger,
    config: &Config,
) -> Result<BTreeMap<String, Arc<Series>>, LedgerError> {
    let tickers = ledger.tickers()?;
    let mut all = BTreeMap::new();
    for challenge in &config.challenges {
        let name = challenge.price_ticker();
        let stored = tickers.iter().find(|ticker| ticker.ticker == name);
        let Some((rows, range)) = stored.and_then(|ticker| Some((ticker.rows, ticker.sidx?))) else {
            continue;
        };
        if all.contains_key(name) {
            continue;
        }
        let rates = challenge.quotes == QuoteKind::FundingRates;
        if let Some(series) = series(ledger, name, rows, range, rates)? {
            all.insert(name.to_owned(), Arc::new(series));
        }
    }
    Ok(all)
}
