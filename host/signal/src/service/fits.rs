//! Making fits and keeping them.

use crate::store::{Digest, NewFit, Store, StoreError};
use mantis_config::{Block, Challenge, Config};
use mantis_ledger::Ledger;
use mantis_scoring::{FittedEnsemble, Observer, Options, fit, outlook};
use std::collections::BTreeSet;

/// What became of one challenge's fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitReport {
    /// The challenge.
    pub ticker: String,
    /// What became of it.
    pub state: FitState,
}

/// What became of a fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitState {
    /// It is kept, under this number.
    Kept(i64),
    /// There is too little to fit; as a sentence, where the score says why.
    Nothing(String),
    /// The plugin does not forecast.
    Silent,
    /// It could not be made, for this reason; the one before goes on.
    Failed(String),
}

/// By what it is known that a challenge is the one that a fit was made for, beside its plugin's file.
pub(super) fn params_digest(config: &Config, challenge: &Challenge) -> String {
    let about = (challenge.spec(&config.network, challenge.solver), &challenge.params);
    // Maps of strings, numbers and strings: they always serialise.
    Digest::of(serde_json::to_string(&about).unwrap_or_default().as_bytes()).to_string()
}

/// The newest block all of whose payloads are open; `None` if none waits.
///
/// # Errors
/// If the ledger cannot be read.
fn last_open(ledger: &Ledger) -> anyhow::Result<Option<Block>> {
    Ok(ledger.first_pending()?.map(|first| first - 1))
}

/// Who was registered at the last computation of weights: an ensemble of others is not the one that is paid. `None` while
/// there is none.
fn registered(ledger: &Ledger) -> anyhow::Result<Option<BTreeSet<String>>> {
    let Some(computation) = ledger.last_weights()? else { return Ok(None) };
    let hotkeys = computation.settlements.into_iter().map(|settlement| settlement.hotkey);
    Ok(Some(hotkeys.collect()))
}

/// Scores every challenge that forecasts, and keeps what it has fitted. Takes minutes, and changes nothing but the store.
/// Rows whose payloads wait are left out: a score of them would take their miners for absent.
///
/// # Errors
/// If the store cannot be written.
pub fn fit_all(
    config: &Config,
    store: &Store,
    options: &Options,
    now: i64,
    observer: &dyn Observer,
) -> Result<Vec<FitReport>, StoreError> {
    let is_wanted =
        |challenge: &&Challenge| options.only.as_ref().is_none_or(|only| only.contains(&challenge.ticker));
    let mut reports = Vec::new();
    for challenge in config.challenges.iter().filter(is_wanted) {
        let state = match made(config, challenge, options, observer) {
            Ok(Some(fitted)) => keep(config, challenge, store, fitted, now)?,
            Ok(None) => FitState::Silent,
            Err(error) => FitState::Failed(format!("{error:#}")),
        };
        reports.push(FitReport { ticker: challenge.ticker.clone(), state });
    }
    Ok(reports)
}

fn made(
    config: &Config,
    challenge: &Challenge,
    options: &Options,
    observer: &dyn Observer,
) -> anyhow::Result<Option<FittedEnsemble>> {
    // A score takes minutes; whether there is anything to be had from it is known in a moment.
    if outlook(config, challenge, &options.launcher)?.is_none() {
        return Ok(None);
    }
    let ledger = Ledger::read(&options.ledger)?;
    let open = last_open(&ledger)?;
    let active = match options.active.clone() {
        None if options.as_of.is_none() => registered(&ledger)?,
        active => active,
    };
    let max_block = match (options.max_block, open) {
        (Some(max), Some(open)) => Some(max.min(open)),
        (max, open) => max.or(open),
    };
    fit(config, challenge, &Options { max_block, active, ..options.clone() }, observer)
}

fn keep(
    config: &Config,
    challenge: &Challenge,
    store: &Store,
    fitted: FittedEnsemble,
    now: i64,
) -> Result<FitState, StoreError> {
    let (Some(bytes), Some(last)) = (fitted.fit, fitted.last) else {
        let why = fitted.salience.empty.unwrap_or_else(|| "there is too little to fit".into());
        return Ok(FitState::Nothing(why));
    };
    let Some(plugin) = Digest::parse(&fitted.sha256) else {
        return Ok(FitState::Failed(format!("`{}` is no digest of the plugin's file", fitted.sha256)));
    };
    let fit = NewFit {
        ticker: challenge.ticker.clone(),
        plugin,
        params: params_digest(config, challenge),
        sidx: last.0,
        block: last.block(config.network.sample_every).0,
        hotkeys: fitted.hotkeys,
        outlook: fitted.outlook,
        bytes,
        made_at: now,
    };
    match store.add_fit(&fit) {
        Ok(id) => Ok(FitState::Kept(id)),
        Err(error @ StoreError::Refused { .. }) => Ok(FitState::Failed(error.to_string())),
        Err(error) => Err(error),
    }
}
