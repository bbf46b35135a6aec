//! The three traits that make a challenge.

use crate::{Description, History, Market, ParamMap, PluginError, Salience, Spec, Targets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Turns market prices into what miners are measured against.
pub trait Label {
    /// What [`Label::label`] hands to [`Score::score`]; it never leaves the plugin.
    type Labels;

    /// Chooses the rows that count and labels them.
    ///
    /// Rows from `market.scored_rows` on may be read as the future of a label, never scored themselves. A missing price
    /// is NaN: [`Market::usable`] gives those that are prices.
    ///
    /// # Errors
    /// [`PluginError::Data`] if the market cannot be labelled at all. Too little data is not an error: it is an empty
    /// [`Salience`] with a reason.
    fn label(&self, market: &Market) -> Result<Self::Labels, PluginError>;

    /// What the labels of this market say in numbers, for those who measure a strategy before it is sent. Saliences do not
    /// depend on it. Since contract 1.1.
    ///
    /// The default is `None`: what is paid for cannot be said as one class per row and subject.
    fn targets(&self, market: &Market, labels: &Self::Labels) -> Option<Targets> {
        let _ = (market, labels);
        None
    }
}

/// Turns labels and the miners' history into saliences.
pub trait Score: Label {
    /// Measures what each miner adds.
    ///
    /// A pure function of the challenge, `history` and `labels`: the same bits on every machine. Saliences are
    /// finite and not negative; they need not sum to 1.
    ///
    /// # Errors
    /// Any [`PluginError`]; the challenge then pays no miner in this computation, and the host says why.
    fn score(
        &self,
        history: &dyn History,
        labels: &Self::Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError>;
}

/// A challenge as a whole: what [`crate::export!`] takes.
pub trait Challenge: Score + Sized + Send {
    /// Name, version, what it is for, and the table of its parameters.
    fn describe() -> Description;

    /// Makes a configured challenge from its entry in `challenges.toml`.
    ///
    /// # Errors
    /// [`PluginError::Parameter`] for an unknown or bad parameter, [`PluginError::Spec`] if dim, assets or horizon do not
    /// fit the plugin: see [`Spec::require_dim`] and those beside it.
    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError>;

    /// Turns one miner's JSON for this challenge into the vector that is stored:
    /// [`Spec::storage_dim`] numbers, all zero if the submission counts as absent.
    ///
    /// # Errors
    /// [`PluginError::Submission`] with a sentence that the miner can act on.
    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError>;

    /// Takes rows into the live state that the host keeps beside the ledger for a challenge without a horizon: text
    /// by asset, empty at first. Rows are matured, in order, each handed over once; how many come in one call must not
    /// matter. Gives the state after the last of them.
    ///
    /// The default keeps none: it gives `states` as they were.
    ///
    /// # Errors
    /// [`PluginError::Data`] if a state is unreadable or rows do not fit the challenge. The host then keeps the
    /// states as they were, and hands over the same rows later.
    fn track(&self, states: States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        let _ = rows;
        Ok(states)
    }
}

/// Live states by asset, in a form that is the challenge's own.
pub type States = BTreeMap<String, String>;

/// A matured row, as [`Challenge::track`] takes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrackedRow {
    /// Sampled-block index: `block / sample_every`.
    pub sidx: i64,
    /// The price of each asset, finite; `None` if the ledger has none. One for a single-asset challenge.
    pub prices: Vec<Option<f64>>,
    /// What miners sent: [`Spec::storage_dim`] finite numbers by hotkey.
    pub vectors: BTreeMap<String, Vec<f32>>,
}

/// What a running score may tell the host.
pub trait Progress {
    /// Reports the finished part of the work, 0 to 1.
    fn report(&self, done: f64);
    /// Writes a line to the host's log, tagged with the challenge.
    fn log(&self, line: &str);
}

/// A [`Progress`] that goes nowhere.
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _done: f64) {}
    fn log(&self, _line: &str) {}
}
