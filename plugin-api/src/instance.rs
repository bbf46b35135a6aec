//! A configured challenge behind the boundary, native or WebAssembly.

use crate::{
    Challenge, Forecast, History, Market, Outlook, ParamMap, PluginError, Progress, Salience, Signal, Spec,
};

/// A configured challenge, and what the host wants of its score.
pub(crate) struct Instance<C: Challenge> {
    pub(crate) challenge: C,
    signal: Option<SignalFunctions<C>>,
    /// A score gives targets alone.
    wants_targets: bool,
    /// A score gives the fitted ensemble, too.
    wants_fit: bool,
}

/// The functions of a [`Signal`], where the challenge is one.
pub(crate) struct SignalFunctions<C: Challenge> {
    outlook: fn(&C) -> Outlook,
    score_and_fit: ScoreAndFit<C>,
    forecast: ForecastRow<C>,
}

type ScoreAndFit<C> =
    fn(&C, &dyn History, &<C as crate::Label>::Labels, &dyn Progress) -> Result<Scored, PluginError>;

type ForecastRow<C> = fn(&C, &[u8], &[f32], &Market) -> Result<Forecast, PluginError>;

/// Saliences, and the fitted ensemble, where there is one.
pub(crate) type Scored = (Salience, Option<Vec<u8>>);

impl<C: Signal> SignalFunctions<C> {
    pub(crate) const fn new() -> Self {
        Self { outlook: C::outlook, score_and_fit: C::score_and_fit, forecast: C::forecast }
    }
}

impl<C: Challenge> Instance<C> {
    pub(crate) fn configure(
        spec: Spec,
        params: &ParamMap,
        signal: Option<SignalFunctions<C>>,
    ) -> Result<Self, PluginError> {
        let (wants_targets, wants_fit) = (spec.targets, spec.fit);
        Ok(Self { challenge: C::configure(spec, params)?, signal, wants_targets, wants_fit })
    }

    /// Labels, and gives what the spec asks for.
    pub(crate) fn score(
        &self,
        market: &Market,
        history: &dyn History,
        progress: &dyn Progress,
    ) -> Result<Scored, PluginError> {
        let labels = self.challenge.label(market)?;
        if self.wants_targets {
            let targets = self.challenge.targets(market, &labels);
            return Ok((Salience { targets, ..Salience::new(history.shape().miners) }, None));
        }
        match &self.signal {
            Some(signal) if self.wants_fit => {
                (signal.score_and_fit)(&self.challenge, history, &labels, progress)
            }
            _ => Ok((self.challenge.score(history, &labels, progress)?, None)),
        }
    }

    pub(crate) fn outlook(&self) -> Result<Outlook, PluginError> {
        Ok((self.signal()?.outlook)(&self.challenge))
    }

    pub(crate) fn forecast(
        &self,
        fit: &[u8],
        latest: &[f32],
        market: &Market,
    ) -> Result<Forecast, PluginError> {
        (self.signal()?.forecast)(&self.challenge, fit, latest, market)
    }

    fn signal(&self) -> Result<&SignalFunctions<C>, PluginError> {
        self.signal.as_ref().ok_or_else(|| PluginError::host("this challenge does not forecast"))
    }
}
