//! The newest fit of each challenge, and forecasts with it.

use super::fits::params_digest;
use super::last_rows::last_rows;
use crate::store::{Digest, Fit, Store, StoreError};
use mantis_config::{Challenge, Config, Sidx};
use mantis_ledger::{Ledger, LedgerError};
use mantis_plugin_api::{Forecast, PluginError};
use mantis_scoring::session_job;
use mantis_scoring::worker::{Launcher, Session, WorkerError};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// Why there is no forecast.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each says it itself, or is another module's error")]
pub enum DeskError {
    #[error("{0}: no fit is kept of it yet")]
    NoFit(String),
    #[error(
        "{ticker}: the fit was made by another {what} than the configuration names now; it is not used, and the next fit \
         takes its place"
    )]
    Outdated { ticker: String, what: &'static str },
    #[error("{0}: the configuration does not have it")]
    Unknown(String),
    #[error("{ticker}: {source:#}")]
    Plugin { ticker: String, source: anyhow::Error },
    #[error("{ticker}: {source}")]
    Worker { ticker: String, source: Box<WorkerError> },
    #[error("{ticker}: its plugin gave {source}")]
    Broken { ticker: String, source: PluginError },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A forecast, and with what it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct FromRow {
    /// The number of the fit.
    pub fit: i64,
    /// The forecast.
    pub forecast: Forecast,
}

/// Forecasts challenge by challenge, each in a worker process that stays.
pub struct Desk {
    config: Arc<Config>,
    launcher: Launcher,
    ensembles: BTreeMap<String, Ensemble>,
}

struct Ensemble {
    fit: Fit,
    /// The fit's bytes as they cross.
    hex: String,
    session: Session,
}

impl Desk {
    /// Without a fit yet.
    #[must_use]
    pub fn new(config: Arc<Config>, launcher: Launcher) -> Self {
        Self { config, launcher, ensembles: BTreeMap::new() }
    }

    /// Goes on with another configuration; fits are looked for again.
    pub fn set_config(&mut self, config: Arc<Config>) {
        self.config = config;
        self.ensembles.clear();
    }

    /// The challenges that have a fit, in the order of tickers.
    pub fn tickers(&self) -> impl Iterator<Item = &str> {
        self.ensembles.keys().map(String::as_str)
    }

    /// The miners whose numbers a challenge's forecast takes.
    #[must_use]
    pub fn hotkeys(&self, ticker: &str) -> &[String] {
        self.ensembles.get(ticker).map_or(&[], |ensemble| &ensemble.fit.info.hotkeys)
    }

    /// Looks for newer fits of all challenges that the store and the configuration have. Gives why one is not used, by
    /// challenge.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn refresh(&mut self, store: &Store) -> Result<BTreeMap<String, DeskError>, StoreError> {
        let mut unused = BTreeMap::new();
        for info in store.signals()? {
            let is_held = self.ensembles.get(&info.ticker).is_some_and(|held| held.fit.info.id == info.id);
            if is_held || self.challenge(&info.ticker).is_err() {
                continue;
            }
            if let Err(error) = self.take(store, &info.ticker) {
                unused.insert(info.ticker, error);
            }
        }
        Ok(unused)
    }

    /// Takes the newest fit of a challenge from the store. One that was made by another file of the plugin, or with other
    /// parameters, is not used.
    ///
    /// # Errors
    /// [`DeskError`]; the challenge then has no fit.
    pub fn take(&mut self, store: &Store, ticker: &str) -> Result<(), DeskError> {
        let newest = store.newest_fit(ticker)?.ok_or_else(|| DeskError::NoFit(ticker.into()))?;
        self.ensembles.remove(ticker);
        let outdated = |what| DeskError::Outdated { ticker: ticker.into(), what };
        let challenge = self.challenge(ticker)?;
        if params_digest(&self.config, challenge) != newest.info.params {
            return Err(outdated("set of parameters"));
        }
        let failed = |source| DeskError::Plugin { ticker: ticker.into(), source };
        let mut job = session_job(&self.config, ticker).map_err(failed)?;
        let plugin = newest.info.plugin.to_string();
        if job.plugin.sha256.as_ref().is_some_and(|pinned| *pinned != plugin) {
            return Err(outdated("file of the plugin"));
        }
        // The worker refuses another file.
        job.plugin.sha256 = Some(plugin);
        let session = Session::new(self.launcher.clone(), job);
        let hex = hex::encode(&newest.bytes);
        self.ensembles.insert(ticker.into(), Ensemble { fit: newest, hex, session });
        Ok(())
    }

    /// The forecast of a row from what miners sent in it: the numbers that the ledger stores, by hotkey.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn forecast(
        &mut self,
        ledger: &Ledger,
        ticker: &str,
        row: Sidx,
        sent: &BTreeMap<String, Vec<f32>>,
    ) -> Result<FromRow, DeskError> {
        let challenge = self.challenge(ticker)?.clone();
        let ensemble = self.ensembles.get_mut(ticker).ok_or_else(|| DeskError::NoFit(ticker.to_owned()))?;
        let info = &ensemble.fit.info;
        let market = last_rows(ledger, &challenge, row, info.outlook.market_rows)?;
        let dim = challenge.storage_dim();
        let mut latest = vec![0.0; info.hotkeys.len() * dim];
        for (hotkey, place) in info.hotkeys.iter().zip(latest.chunks_exact_mut(dim)) {
            if let Some(numbers) = sent.get(hotkey).filter(|numbers| numbers.len() == dim) {
                place.copy_from_slice(numbers);
            }
        }
        let forecast = ensemble
            .session
            .forecast(&ensemble.hex, &latest, &market)
            .map_err(|source| DeskError::Worker { ticker: ticker.into(), source: Box::new(source) })?;
        let broken = |source| DeskError::Broken { ticker: ticker.into(), source };
        info.outlook.check(&forecast).map_err(broken)?;
        Ok(FromRow { fit: info.id, forecast })
    }

    /// Blocks after a row at which its outcome may begin to be known; where the challenge has no horizon, how late a
    /// forecast may be.
    ///
    /// # Errors
    /// If there is no such challenge.
    pub fn within(&self, ticker: &str) -> Result<i64, DeskError> {
        let challenge = self.challenge(ticker)?;
        let rows = i64::from(self.config.network.sample_every);
        Ok(if challenge.blocks_ahead > 0 { i64::from(challenge.blocks_ahead) } else { rows })
    }

    fn challenge(&self, ticker: &str) -> Result<&Challenge, DeskError> {
        let found = self.config.challenges.iter().find(|challenge| challenge.ticker == ticker);
        found.ok_or_else(|| DeskError::Unknown(ticker.into()))
    }
}

/// By what it is known that two vectors are the same.
pub(super) fn digest_of(numbers: &[f32]) -> Digest {
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    Digest::of(&bytes)
}
