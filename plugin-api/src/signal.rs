//! Forecasts of a fitted ensemble: what a challenge can say beside saliences.

use crate::{Challenge, History, Market, PluginError, Progress, Salience};
use serde::{Deserialize, Serialize};

/// A challenge whose ensemble can forecast. Optional; since contract 1.1.
pub trait Signal: Challenge {
    /// What kind of forecast it gives.
    fn outlook(&self) -> Outlook;

    /// As [`crate::Score::score`], to the same bits, and the fitted ensemble as bytes that [`Signal::forecast`] reads;
    /// `None` if nothing could be fitted.
    ///
    /// # Errors
    /// As [`crate::Score::score`].
    fn score_and_fit(
        &self,
        history: &dyn History,
        labels: &Self::Labels,
        progress: &dyn Progress,
    ) -> Result<(Salience, Option<Vec<u8>>), PluginError>;

    /// The forecast of one row. `latest` holds [`crate::Spec::storage_dim`] numbers per miner, in the order of hotkeys
    /// that `fit` was made with; zeros for a miner that sent nothing. `market` ends with that row and has no labels.
    ///
    /// # Errors
    /// [`PluginError::Data`] for a fit of another making, or numbers that do not fit it.
    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError>;
}

/// What kind of forecast a challenge gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// What the numbers of a [`Forecast`] are.
    pub kind: OutlookKind,
    /// What they are about: assets, or the challenge's one price.
    pub subjects: Vec<String>,
    /// Names of the numbers per subject, where there are several.
    pub classes: Vec<String>,
    /// How far ahead, in rows; 0 if that is not fixed.
    pub horizon_rows: usize,
    /// Unit of the numbers, as a phrase.
    pub unit: String,
}

/// What the numbers of a forecast are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutlookKind {
    /// One probability per subject.
    Probability,
    /// Probabilities of classes, per subject.
    Classes,
    /// Scores that rank the subjects.
    Scores,
    /// Weights of a portfolio of the subjects.
    Weights,
}

/// A forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Subjects x classes numbers; `None` where nothing can be said.
    pub values: Vec<Option<f64>>,
}
