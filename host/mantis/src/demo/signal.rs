//! The owner's signal in the demo: what is forecast from each live row before its payloads' round is out.

use super::error::DemoError;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_network::chain::Head;
use mantis_payload::OwnerSecret;
use mantis_scoring::Observer;
use mantis_scoring::worker::Launcher;
use mantis_signal::service::{
    FitReport, FitState, Live, LiveOptions, SettleReport, fit_all, judge_early, settle_all,
};
use mantis_signal::store::{FitInfo, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::block_in_place;

/// What the owner's signal came to.
#[derive(Clone, Debug, Default)]
pub struct SignalSummary {
    /// Forecasts that were published.
    pub forecasts: usize,
    /// Whether the demo went on with a ledger that had live rows: those are not forecast any more.
    pub resumed: bool,
    /// The longest time from a row's being sampled to its last forecast's being stored, s.
    pub slowest: f64,
    /// What became of each challenge's fit.
    pub fits: Vec<FitReport>,
    /// What came true.
    pub settled: Vec<SettleReport>,
    /// Rows of which miners' words to the owner were compared with their words to everybody, and how many differ.
    pub judged: (usize, usize),
}

/// The signal of a demo, in a folder beside its ledger.
pub(super) struct DemoSignal {
    live: Live,
    store: Arc<Store>,
    options: LiveOptions,
    summary: SignalSummary,
}

/// Rows whose miners' words are compared at the end: more than a demo has.
const JUDGED: usize = 1_000_000;

/// Where a demo's signal is made.
pub(super) struct SignalPlace<'a> {
    pub(super) ledger: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) launcher: &'a Launcher,
    /// Whether the ledger had live rows before.
    pub(super) resumed: bool,
}

impl DemoSignal {
    /// Fits the history; a demo that goes on keeps the fits and the forecasts that it has.
    pub(super) fn start(
        config: Arc<Config>,
        place: &SignalPlace<'_>,
        secret: OwnerSecret,
        head: Head,
        observer: &dyn Observer,
    ) -> Result<Self, DemoError> {
        let &SignalPlace { ledger, folder, launcher, resumed } = place;
        if !resumed {
            // What an earlier demo forecast is of other rows.
            let _ = std::fs::remove_dir_all(folder);
        }
        let store = Arc::new(Store::open(folder).map_err(signal)?);
        let options = LiveOptions {
            ledger: ledger.to_path_buf(),
            fit_every: u32::MAX,
            histories: None,
            scratch: std::env::temp_dir(),
            launcher: launcher.clone(),
            poll: Duration::from_secs(1),
        };
        let kept: Vec<FitReport> = store.signals().map_err(signal)?.into_iter().map(kept).collect();
        let fits = match kept.is_empty() {
            true => block_in_place(|| fit_all(&config, &store, &options.scoring(), ms(head), observer)),
            false => Ok(kept),
        };
        let summary = SignalSummary { fits: fits.map_err(signal)?, resumed, ..SignalSummary::default() };
        let live = Live::new(config, store.clone(), secret, options.clone()).map_err(signal)?;
        Ok(Self { live, store, options, summary })
    }

    /// Goes on with another configuration.
    pub(super) fn set_config(&mut self, config: Arc<Config>) -> Result<(), DemoError> {
        self.live.set_config(config).map_err(signal)
    }

    /// Forecasts from the row that was just sampled.
    pub(super) fn step(&mut self, ledger: &Ledger, head: Head) -> Result<(), DemoError> {
        let at = (Block(head.block.0), head.unix);
        let published = block_in_place(|| self.live.look_at(ledger, Some(at), ms(head))).map_err(signal)?;
        self.summary.forecasts += published.len();
        let seconds = self.live.seconds();
        self.summary.slowest = self.summary.slowest.max(seconds);
        Ok(())
    }

    /// Works out what came true.
    pub(super) fn finish(
        mut self,
        config: &Config,
        ledger: &Ledger,
        head: Head,
    ) -> Result<SignalSummary, DemoError> {
        let settled = block_in_place(|| settle_all(config, &self.store, &self.options.scoring(), ms(head)));
        self.summary.settled = settled.map_err(signal)?;
        let (rows, differ) = judge_early(config, ledger, &self.store, JUDGED).map_err(signal)?;
        self.summary.judged = (rows, differ.len());
        Ok(self.summary)
    }
}

fn kept(fit: FitInfo) -> FitReport {
    FitReport { ticker: fit.ticker, state: FitState::Kept(fit.id) }
}

fn ms(head: Head) -> i64 {
    i64::try_from(head.unix).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
}

fn signal(error: impl Into<anyhow::Error>) -> DemoError {
    DemoError::Signal(format!("{:#}", error.into()))
}
