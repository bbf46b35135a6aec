//! The service: a row after the other as the validator samples them, fits and outcomes beside that.

use super::desk::Desk;
use super::early::{OwnerEye, digests, judge_early};
use super::fits::{FitReport, FitState, fit_all};
use super::outcomes::{SettleReport, settle_all};
use crate::signing::SigningKey;
use crate::store::{Head, NewForecast, Published, Store, StoreError};
use anyhow::Context;
use mantis_config::{Block, Config};
use mantis_ledger::{Ledger, Pending};
use mantis_network::chain::BLOCK_SECONDS;
use mantis_payload::OwnerSecret;
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Observer, Options};
use mantis_weights::Scored;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// How the service is run.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// The ledger of the owner's validator; it is only read.
    pub ledger: PathBuf,
    /// Blocks from one round of fits to the next.
    pub fit_every: u32,
    /// Folder of histories that are kept from one round to the next; `None`: none is kept. It is not the validator's, who
    /// would have to do without.
    pub histories: Option<PathBuf>,
    /// Folder for histories that are not kept.
    pub scratch: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
    /// Time between two looks at the ledger.
    pub poll: Duration,
}

/// What the service is doing, for people and monitors.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LiveStatus {
    /// The block of the last row that was forecast from.
    pub block: Option<i64>,
    /// When that was, in Unix milliseconds.
    pub at: Option<i64>,
    /// How long it took from the look that found the row to the last forecast's being stored, s.
    pub seconds: f64,
    /// Payloads of that row that the owner's key opened.
    pub opened: usize,
    /// Payloads of that row that it did not open.
    pub unopened: usize,
    /// Rows that were found too late to forecast from.
    pub missed: u64,
    /// Each challenge's state.
    pub signals: BTreeMap<String, SignalState>,
    /// Whether fits are being made.
    pub fitting: bool,
    /// Why the ledger or the store cannot be used, if so.
    pub failure: Option<String>,
}

/// Time without a row after which the service is not well, ms.
const SILENT: i64 = 600_000;

impl LiveStatus {
    /// Whether forecasts are made, and what of it is for everybody: reasons, which may name files, are for the log.
    #[must_use]
    pub fn summary(&self, now: i64) -> (bool, serde_json::Value) {
        let is_recent = self.at.is_some_and(|at| now - at < SILENT);
        let failing: Vec<&str> = self
            .signals
            .iter()
            .filter(|(_, state)| state.failure.is_some() || state.round.is_some())
            .map(|(ticker, _)| ticker.as_str())
            .collect();
        let state = serde_json::json!({
            "block": self.block, "at": self.at, "seconds": self.seconds, "opened": self.opened,
            "unopened": self.unopened, "missed": self.missed, "fitting": self.fitting, "failing": failing,
        });
        (is_recent && self.failure.is_none(), state)
    }
}

/// How a challenge's signal stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SignalState {
    /// The number of the last forecast.
    pub seq: Option<i64>,
    /// Why there was none in the last row.
    pub failure: Option<String>,
    /// What is not well with the last round: why nothing new was fitted, or no outcome could be worked out.
    pub round: Option<String>,
}

/// Forecasts as rows come.
pub struct Live {
    config: Arc<Config>,
    store: Arc<Store>,
    options: LiveOptions,
    desk: Desk,
    eye: OwnerEye,
    /// The last row that was looked at.
    last: Option<Block>,
    status: Arc<Mutex<LiveStatus>>,
}

impl Live {
    /// Ready for the first row; nothing is started yet.
    ///
    /// # Errors
    /// If the secret is not that of the key that miners seal for.
    pub fn new(
        config: Arc<Config>,
        store: Arc<Store>,
        secret: OwnerSecret,
        options: LiveOptions,
    ) -> anyhow::Result<Self> {
        let launcher = options.launcher.clone();
        let eye = OwnerEye::new(secret, config.clone(), launcher.clone())?;
        let desk = Desk::new(config.clone(), launcher);
        Ok(Self { config, store, options, desk, eye, last: None, status: Arc::default() })
    }

    /// What it is doing.
    #[must_use]
    pub fn status(&self) -> Arc<Mutex<LiveStatus>> {
        self.status.clone()
    }

    /// How long the last row took, s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        lock(&self.status).seconds
    }

    /// Goes on with another configuration.
    ///
    /// # Errors
    /// If miners seal for another key in it; the old one goes on then.
    pub fn set_config(&mut self, config: Arc<Config>) -> anyhow::Result<()> {
        anyhow::ensure!(
            config.network.owner_key == self.config.network.owner_key,
            "`network.owner_key` is another one now: start again with its secret"
        );
        self.desk.set_config(config.clone());
        self.eye.set_config(config.clone());
        self.config = config;
        Ok(())
    }

    /// Looks for a new row, and forecasts from the newest. One that was found too late is passed over: its forecast would
    /// prove nothing.
    ///
    /// # Errors
    /// If the ledger or the store fails. What fails of one challenge is in the status.
    pub fn look(&mut self, now: i64) -> anyhow::Result<Vec<Published>> {
        let ledger = Ledger::read(&self.options.ledger)?;
        let head = ledger.chain_record()?.head;
        self.look_at(&ledger, head, now)
    }

    /// The same in an open ledger, by a head of the chain and its Unix time, s.
    ///
    /// # Errors
    /// As [`Live::look`].
    pub fn look_at(
        &mut self,
        ledger: &Ledger,
        head: Option<(Block, u64)>,
        now: i64,
    ) -> anyhow::Result<Vec<Published>> {
        let Some(row) = ledger.pending()?.into_iter().next_back() else { return Ok(Vec::new()) };
        if self.last.is_some_and(|last| row.block <= last) {
            return Ok(Vec::new());
        }
        let newest = head.map_or(row.block, |(block, _)| block.max(row.block));
        if newest - row.block > 2 * i64::from(self.config.network.sample_every) {
            self.last = Some(row.block);
            lock(&self.status).missed += 1;
            return Ok(Vec::new());
        }
        let published = self.forecast(ledger, row, head, Head { block: newest.0, now })?;
        // Only now: a row on which the store or the ledger fails is looked at again.
        self.last = Some(row.block);
        Ok(published)
    }

    fn forecast(
        &mut self,
        ledger: &Ledger,
        row: Pending,
        head: Option<(Block, u64)>,
        at: Head,
    ) -> anyhow::Result<Vec<Published>> {
        let started = Instant::now();
        let unused = self.desk.refresh(&self.store)?;
        for (ticker, error) in &unused {
            self.failed(ticker, &error.to_string());
        }
        let opened = self.eye.open(ledger, row)?;
        let sidx = row.block.sidx(self.config.network.sample_every);
        let tickers: Vec<String> = self.desk.tickers().map(String::from).collect();
        let expected = |hotkey: &str| {
            let has = |ticker: &&String| self.desk.hotkeys(ticker).iter().any(|known| known == hotkey);
            tickers.iter().filter(has).map(String::as_str).collect()
        };
        self.store.add_early(&digests(sidx, &opened, expected))?;
        for (ticker, reason) in &opened.failed {
            self.failed(ticker, reason);
        }
        let nobody = BTreeMap::new();
        let mut published = Vec::new();
        // Where nobody's numbers could be read, a forecast would be one of silence.
        for ticker in tickers.iter().filter(|ticker| !opened.failed.contains_key(*ticker)) {
            let sent = opened.vectors.get(ticker).unwrap_or(&nobody);
            let made = match self.desk.forecast(ledger, ticker, sidx, sent) {
                Ok(made) => made,
                Err(error) => {
                    self.failed(ticker, &error.to_string());
                    continue;
                }
            };
            let new = NewForecast {
                ticker: ticker.clone(),
                sidx: sidx.0,
                block: row.block.0,
                as_of: head.map(|(block, unix)| unix_ms(row.block, block, unix)),
                fit: made.fit,
                values: made.forecast.values,
                miners: u32::try_from(made.forecast.miners).unwrap_or(u32::MAX),
                within: self.desk.within(ticker)?,
            };
            match self.store.publish(&new, at) {
                Ok(forecast) => {
                    let mut status = lock(&self.status);
                    let state = status.signals.entry(ticker.clone()).or_default();
                    (state.seq, state.failure) = (Some(forecast.seq), None);
                    published.push(forecast);
                }
                // The row was looked at before, by this process or by one before it.
                Err(StoreError::Twice { .. }) => {}
                Err(
                    error @ (StoreError::TooLate { .. }
                    | StoreError::ClockBack { .. }
                    | StoreError::Refused { .. }),
                ) => self.failed(ticker, &error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        let mut status = lock(&self.status);
        status.block = Some(row.block.0);
        status.at = Some(at.now);
        status.seconds = started.elapsed().as_secs_f64();
        status.opened =
            opened.vectors.values().flat_map(BTreeMap::keys).collect::<std::collections::BTreeSet<_>>().len();
        status.unopened = opened.unopened.len();
        Ok(published)
    }

    /// Says that a challenge gives no forecast, once for each reason.
    fn failed(&self, ticker: &str, why: &str) {
        let mut status = lock(&self.status);
        let state = status.signals.entry(ticker.into()).or_default();
        if state.failure.as_deref() != Some(why) {
            warn!(ticker, "no forecast: {why}");
            state.failure = Some(why.into());
        }
    }

    /// Keeps how a challenge came out of a round, and says what is not well with it, once for each reason.
    fn came_out(&self, ticker: &str, why: Option<String>) {
        let mut status = lock(&self.status);
        let state = status.signals.entry(ticker.into()).or_default();
        if let Some(why) = why.as_ref().filter(|why| state.round.as_ref() != Some(why)) {
            warn!(ticker, "{why}");
        }
        state.round = why;
    }

    /// Goes on until it is told to stop; fits and outcomes are made beside that. Whatever fails is said, shown, and tried
    /// again.
    pub fn run(mut self, key: &SigningKey, clock: impl Fn() -> i64, stop: &AtomicBool) {
        let mut rounds = Rounds::default();
        while !stop.load(Ordering::Relaxed) {
            let outcome = self.turn(&clock, &mut rounds, key);
            let failure = outcome.err().map(|error| format!("{error:#}")).or_else(|| rounds.failure.clone());
            let mut status = lock(&self.status);
            if let Some(why) = failure.as_ref().filter(|why| status.failure.as_ref() != Some(why)) {
                error!("the signal is not well: {why}; trying again");
            }
            status.failure = failure;
            drop(status);
            sleep(self.options.poll);
        }
        // A round under way ends with the process, its workers too; what is kept is whole at any moment.
    }

    fn turn(
        &mut self,
        clock: &impl Fn() -> i64,
        rounds: &mut Rounds,
        key: &SigningKey,
    ) -> anyhow::Result<()> {
        if let Some(finished) = rounds.finished() {
            lock(&self.status).fitting = false;
            rounds.failure = match finished.and_then(|round| self.take_round(round)) {
                Ok(()) => None,
                Err(error) => {
                    // Sooner than the next one would come.
                    rounds.next = rounds.begun.map(|block| block + RETRY.min(self.options.fit_every.into()));
                    Some(format!("fits and outcomes: {error:#}"))
                }
            };
        }
        let published = self.look(clock())?;
        for forecast in &published {
            info!(seq = forecast.seq, ticker = forecast.ticker, block = forecast.block, "forecast");
        }
        self.store.sign_days(key, clock())?;
        let newest = Ledger::read(&self.options.ledger)?.last_block()?;
        if let Some(newest) = newest.filter(|newest| rounds.is_due(*newest)) {
            rounds.next = Some(newest + i64::from(self.options.fit_every));
            rounds.begun = Some(newest);
            lock(&self.status).fitting = true;
            let (file, store, options) = (self.config.file.clone(), self.store.clone(), self.options.clone());
            let now = clock();
            rounds.under_way = Some(std::thread::spawn(move || Round::make(&file, &store, &options, now)));
        }
        Ok(())
    }

    fn take_round(&mut self, round: Round) -> anyhow::Result<()> {
        let Round { config, fits, settled, differ } = round;
        for FitReport { ticker, state } in fits {
            let why = match state {
                FitState::Kept(id) => {
                    info!(ticker, fit = id, "a new fit");
                    None
                }
                FitState::Silent => None,
                FitState::Nothing(why) => Some(format!("nothing could be fitted: {why}")),
                FitState::Failed(why) => Some(format!("the fit failed: {why}")),
            };
            self.came_out(&ticker, why);
        }
        for SettleReport { ticker, settled, waiting, failed } in settled {
            info!(ticker, settled, waiting, "outcomes");
            if let Some(why) = failed {
                self.came_out(&ticker, Some(format!("its outcomes cannot be worked out: {why}")));
            }
        }
        for (ticker, hotkey) in differ {
            warn!(ticker, hotkey, "told the owner something else than everybody");
        }
        if config.digest() != self.config.digest() {
            self.set_config(Arc::new(config))?;
        }
        Ok(())
    }
}

/// Blocks after which a round that failed is tried again.
const RETRY: i64 = 50;

/// What is done beside the rows, and when next.
#[derive(Default)]
struct Rounds {
    under_way: Option<JoinHandle<anyhow::Result<Round>>>,
    /// The ledger's last block when the last one began.
    begun: Option<Block>,
    /// The ledger's last block from which on the next one is due.
    next: Option<Block>,
    /// Why the last one gave nothing.
    failure: Option<String>,
}

impl Rounds {
    /// What came of the round under way, once it is over.
    fn finished(&mut self) -> Option<anyhow::Result<Round>> {
        let under_way = self.under_way.take_if(|under_way| under_way.is_finished())?;
        let broken = |_| Err(anyhow::anyhow!("a fault of this program"));
        Some(under_way.join().unwrap_or_else(broken))
    }

    fn is_due(&self, newest: Block) -> bool {
        self.under_way.is_none() && self.next.is_none_or(|next| newest >= next)
    }
}

/// What is done beside the rows: fits, outcomes, and whether miners said the same twice.
struct Round {
    config: Config,
    fits: Vec<FitReport>,
    settled: Vec<SettleReport>,
    differ: Vec<(String, String)>,
}

/// Fits whose bytes are kept, per challenge.
const FITS_KEPT: usize = 3;
/// Rows whose miners' words are compared in one round.
const JUDGED_AT_ONCE: usize = 10_000;

impl Round {
    fn make(file: &std::path::Path, store: &Store, options: &LiveOptions, now: i64) -> anyhow::Result<Self> {
        let config = Config::load(file).context("the configuration")?;
        let scoring = options.scoring();
        let fits = fit_all(&config, store, &scoring, now, &Said)?;
        store.drop_old_fits(FITS_KEPT)?;
        let settled = settle_all(&config, store, &scoring, now)?;
        let ledger = Ledger::read(&options.ledger)?;
        let (_, differ) = judge_early(&config, &ledger, store, JUDGED_AT_ONCE)?;
        Ok(Self { config, fits, settled, differ })
    }
}

impl LiveOptions {
    /// As scoring takes them.
    #[must_use]
    pub fn scoring(&self) -> Options {
        Options {
            ledger: self.ledger.clone(),
            max_block: None,
            as_of: None,
            only: None,
            active: None,
            guests: BTreeMap::new(),
            solver: None,
            threads: 1,
            facts: Vec::new(),
            histories: self.histories.clone(),
            saliences: None,
            scratch: self.scratch.clone(),
            launcher: self.launcher.clone(),
        }
    }
}

/// Passes what plugins say on to the log.
struct Said;

impl Observer for Said {
    fn reading(&self, _: f64) {}

    fn progress(&self, _: &str, _: f64) {}

    fn finished(&self, _: &Scored) {}

    fn log(&self, ticker: &str, line: &str) {
        info!(ticker, "{line}");
    }
}

/// Unix milliseconds of a block, by those of another.
pub(super) fn unix_ms(block: Block, known: Block, unix: u64) -> i64 {
    let unix = i64::try_from(unix).unwrap_or(i64::MAX / 2000);
    (unix - i64::try_from(BLOCK_SECONDS).unwrap_or(12) * (known - block)) * 1000
}

fn lock(status: &Mutex<LiveStatus>) -> MutexGuard<'_, LiveStatus> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}
