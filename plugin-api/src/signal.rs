//! Forecasts of a fitted ensemble: what a challenge can say beside saliences.

use crate::{Challenge, History, Market, PluginError, Progress, Salience};
use serde::{Deserialize, Serialize};

/// A challenge whose ensemble can forecast. Optional; since contract 1.1.
pub trait Signal: Challenge {
    /// What kind of forecast it gives.
    fn outlook(&self) -> Outlook;

    /// As [`crate::Score::score`], to the same bits, and the fitted ensemble as bytes that [`Signal::forecast`] reads, at
    /// most 16 MiB; `None` if nothing could be fitted. It is the ensemble that a score of more rows would hold to the first
    /// row after those scored, fitted on nothing but what is known by then: so a forecast of that row, and of each for
    /// which that score would use the same ensemble, has the bits of what that score computes.
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
    /// that `fit` was made with; zeros for a miner that sent nothing. `market` ends with that row; it has the rows that
    /// [`Outlook::market_rows`] asks for, or fewer at the beginning of a ledger, none of them scored.
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
    /// How many rows of the market [`Signal::forecast`] reads, its own row among them.
    pub market_rows: usize,
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
    /// How many miners' numbers of the row went into it.
    pub miners: usize,
}

/// The largest fit, in bytes.
pub const MAX_FIT: usize = 16 << 20;

impl Outlook {
    /// Numbers of a forecast.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.subjects.len() * self.classes.len().max(1)
    }

    /// Whether a forecast is of this kind: as many numbers, finite, and probabilities from 0 to 1.
    ///
    /// # Errors
    /// [`PluginError::Data`] with what does not fit.
    pub fn check(&self, forecast: &Forecast) -> Result<(), PluginError> {
        let (found, wanted) = (forecast.values.len(), self.numbers());
        if found != wanted {
            return Err(PluginError::data(format!("a forecast of {found} numbers, not of {wanted}")));
        }
        let is_probability = matches!(self.kind, OutlookKind::Probability | OutlookKind::Classes);
        let fits = |x: &f64| x.is_finite() && (!is_probability || (0.0..=1.0).contains(x));
        match forecast.values.iter().flatten().find(|x| !fits(x)) {
            Some(x) => Err(PluginError::data(format!("a forecast of {x}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_what_the_outlook_says() {
        let outlook = Outlook {
            kind: OutlookKind::Classes,
            subjects: vec!["A".into(), "B".into()],
            classes: vec!["up".into(), "down".into()],
            horizon_rows: 1,
            market_rows: 1,
            unit: "probability".into(),
        };
        let check = |outlook: &Outlook, values: &[f64]| {
            let values = values.iter().map(|x| Some(*x)).collect();
            outlook.check(&Forecast { values, miners: 1 }).is_ok()
        };
        assert!(check(&outlook, &[0.0, 1.0, 0.25, 0.75]));
        assert!(outlook.check(&Forecast { values: vec![None; 4], miners: 0 }).is_ok());
        assert!(!check(&outlook, &[0.5; 3]));
        assert!(!check(&outlook, &[0.5, 0.5, 1.5, 0.5]));
        assert!(!check(&outlook, &[0.5, 0.5, f64::NAN, 0.5]));
        let scores = Outlook { kind: OutlookKind::Scores, classes: Vec::new(), ..outlook };
        assert!(check(&scores, &[-3.0, 9.0]) && !check(&scores, &[f64::INFINITY, 0.0]));
    }
}
