//! The validator as a service: one turn after another, for months.

use super::cycle::{Computation, CycleError};
use super::schedule::{self, Samples};
use super::setter;
use super::{Live, Refreshed, SetupError, Stepper};
use crate::beacon::Scheme;
use crate::chain::{BLOCK_SECONDS, Chain, ChainError, Head, Neuron};
use crate::config::Config;
use crate::ledger::{Attempt, Cycle, Horizon, Ledger, LedgerError, Sent};
use crate::scoring::{Observer, Options, Scored};
use crate::worker::Launcher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::{Instant, sleep};
use tracing::{debug, error, info, warn};

/// Days of rows that are kept beyond those that are scored.
const MARGIN_DAYS: i64 = 5;
/// Rows of each ticker that are removed in one turn at most.
const PRUNED_AT_ONCE: u32 = 200;
/// Blocks between two looks for old rows.
const PRUNE_EVERY: i64 = 50;
const DAY_BLOCKS: i64 = 7200;
/// Attempts among which a commit that is shown is looked for: the chain takes fewer that are not shown.
const COMMITTED: u32 = 16;
/// Blocks between two looks for it, which come with the metagraph.
const METAGRAPH_BLOCKS: i64 = 101;

/// How a validator is run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Our own hotkey; `None` where nothing is set.
    pub hotkey: Option<String>,
    /// Whether weights are only computed and recorded, and nothing is sent.
    pub dry_run: bool,
    /// Time between two looks at the chain's newest block.
    pub poll: Duration,
    /// Challenges scored at the same time, at least 1.
    pub threads: usize,
    /// Folder for history snapshots.
    pub scratch: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
}

/// A validator that samples, opens, scores and sets weights as blocks come. All that it knows is in the ledger: one that
/// was ended, however, goes on where it was.
pub struct Service {
    run: Run,
    config: Arc<Config>,
    live: Option<Live>,
    /// Looking at the configuration's files, which may take as long as a plugin is compiled.
    looking: Option<JoinHandle<(Live, Refreshed)>>,
    chain: Arc<dyn Chain>,
    scheme: Scheme,
    ledger: Ledger,
    stepper: Stepper,
    neurons: Arc<Vec<Neuron>>,
    /// The block of the metagraph that `neurons` is.
    metagraph: Option<i64>,
    /// The newest block that was taken or given up.
    sampled: Option<i64>,
    /// The newest block at which payloads were opened.
    opened: Option<u64>,
    /// Why payloads wait, and live states stay behind, as it was said last.
    waits_for: Option<String>,
    untracked: Option<String>,
    /// Whether it was said that the chain is behind the ledger.
    said_behind: bool,
    pruned: Option<i64>,
    scoring: Option<JoinHandle<Result<Cycle, CycleError>>>,
    setting: Option<JoinHandle<Attempt>>,
    /// The block of the last computation.
    computed: Option<i64>,
    /// The last computation that weights came of.
    cycle: Option<Arc<Cycle>>,
    attempt: Option<Attempt>,
    /// Not before this block is a computation that failed tried again.
    compute_after: i64,
    /// Since when the chain does not answer.
    lost: Option<Instant>,
}

/// Why a validator cannot be started.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each is another module's error")]
pub enum ServiceError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Service {
    /// Takes up where the ledger is.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn new(run: Run, live: Live, chain: Arc<dyn Chain>, ledger: Ledger) -> Result<Self, ServiceError> {
        let config = live.current().clone();
        let scheme = Scheme::from_config(&config.beacon).map_err(SetupError::from)?;
        let stepper = Stepper::new(config.clone(), run.launcher.clone())?;
        Ok(Self {
            scheme,
            stepper,
            sampled: ledger.last_block()?,
            computed: ledger.last_cycle()?.map(|cycle| cycle.block),
            cycle: ledger.last_weights()?.map(Arc::new),
            attempt: ledger.attempts(1)?.pop(),
            run,
            config,
            live: Some(live),
            looking: None,
            chain,
            ledger,
            neurons: Arc::default(),
            metagraph: None,
            opened: None,
            waits_for: None,
            untracked: None,
            said_behind: false,
            pruned: None,
            scoring: None,
            setting: None,
            compute_after: 0,
            lost: None,
        })
    }

    /// Goes on until `stop` is ready. What fails is logged and tried again; nothing ends it but `stop`. Needs a runtime
    /// with more than one thread.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            // A turn that is broken off leaves whole transactions only.
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = self.turn() => {}
            }
        }
        info!("stopping");
        if let Some(setting) = self.setting.take() {
            setting.abort();
        }
    }

    async fn turn(&mut self) {
        let head = match self.chain.head().await {
            Ok(head) => head,
            Err(error) => return self.chain_is_lost(&error).await,
        };
        if let Some(since) = self.lost.take() {
            info!(block = head.block, seconds = since.elapsed().as_secs(), "the chain answers again");
        }
        let block = head.block.cast_signed();
        if schedule::metagraph(self.metagraph, block) {
            match self.chain.metagraph().await {
                Ok(neurons) => {
                    self.registered(neurons, block);
                    self.look_for_committed(block).await;
                }
                // An old one will do; without any there is nobody to sample.
                Err(error) if self.metagraph.is_none() => return self.chain_is_lost(&error).await,
                Err(error) => warn!(%error, "the metagraph was not read; going on with the old one"),
            }
        }
        self.take_configuration().await;
        self.sample_what_is_due(head).await;
        self.take_scores().await;
        self.start_scoring(block);
        self.take_attempt().await;
        self.start_setting(block).await;
        self.prune(head);
        sleep(self.run.poll).await;
    }

    async fn chain_is_lost(&mut self, error: &ChainError) {
        match self.lost {
            None => {
                warn!(%error, "the chain does not answer");
                self.lost = Some(Instant::now());
            }
            Some(since) => debug!(%error, seconds = since.elapsed().as_secs(), "still no answer"),
        }
        sleep(self.run.poll).await;
    }

    fn registered(&mut self, neurons: Vec<Neuron>, block: i64) {
        if let (Some(own), false) = (&self.run.hotkey, self.run.dry_run) {
            match neurons.iter().find(|neuron| neuron.hotkey == *own) {
                None => warn!(hotkey = %own, "our hotkey is not registered: weights cannot be set"),
                Some(neuron) if !neuron.validator_permit && self.metagraph.is_none() => {
                    warn!(uid = neuron.uid, "our hotkey has no validator permit: weights may be refused");
                }
                Some(_) => {}
            }
        }
        self.neurons = Arc::new(neurons);
        self.metagraph = Some(block);
    }

    /// Whether the chain shows by now what was committed: being in a block is not yet being counted.
    async fn look_for_committed(&mut self, head: i64) {
        let attempts = match self.ledger.attempts(COMMITTED) {
            Ok(attempts) => attempts,
            Err(error) => return error!(%error, "whether committed weights are shown is not known"),
        };
        let committed: Vec<Attempt> = attempts.into_iter().filter(|a| a.sent == Sent::Committed).collect();
        let own = self.neurons.iter().find(|neuron| Some(&neuron.hotkey) == self.run.hotkey.as_ref());
        let (Some(oldest), Some(own)) = (committed.last(), own) else { return };
        let (shown, rules) =
            match tokio::try_join!(self.chain.weights_of(own.uid), self.chain.hyperparameters()) {
                Ok(read) => read,
                Err(error) => return warn!(%error, "whether committed weights are shown is not known"),
            };
        if let Some(attempt) = committed.iter().find(|attempt| setter::is_shown(&attempt.weights, &shown)) {
            if let Err(error) = self.ledger.store_shown(attempt.block) {
                return error!(%error, "that committed weights are shown is not recorded");
            }
            info!(
                block = attempt.block,
                computed = attempt.computed,
                "the chain shows the committed weights"
            );
            if self.attempt.as_ref().is_some_and(|last| last.block == attempt.block) {
                self.attempt.iter_mut().for_each(|last| last.sent = Sent::Set);
            }
            return;
        }
        let epochs = rules.reveal_period.saturating_add(2);
        let patience = epochs.saturating_mul(u64::from(rules.tempo)).min(1 << 40).cast_signed();
        // Said about one commit while it is the newest that should be there.
        if (patience..patience + METAGRAPH_BLOCKS).contains(&(head - oldest.block)) {
            warn!(
                block = oldest.block,
                "weights committed then are not shown yet: does the hotkey still have its permit, and is \
                 [network] version_key that of the subnet?"
            );
        }
    }

    async fn sample_what_is_due(&mut self, head: Head) {
        let Samples { due, lost } =
            schedule::samples(&self.config.network, self.sampled, head.block.cast_signed());
        if lost > 0 {
            warn!(
                blocks = lost,
                before = due.first(),
                "sampled blocks were missed, too long ago to catch up"
            );
        }
        if let (true, Some(last)) =
            (due.is_empty(), self.sampled.filter(|last| head.block.cast_signed() < last - 100))
        {
            if !self.said_behind {
                warn!(
                    block = head.block,
                    last, "the chain is behind the ledger: is it another network's, or a node that lags?"
                );
                self.said_behind = true;
            }
            return;
        }
        self.said_behind = false;
        for block in due {
            let started = Instant::now();
            let late = head.block - block.cast_unsigned();
            let at = Head {
                block: block.cast_unsigned(),
                unix: head.unix - (late * BLOCK_SECONDS).min(head.unix),
            };
            let sampled = self.stepper.sample(self.chain.as_ref(), &self.neurons, at, &mut self.ledger).await;
            match sampled {
                Ok(sampled) => {
                    if let Some(fault) = &sampled.feed_fault {
                        warn!(block, %fault, "no prices");
                    }
                    let seconds = round(started.elapsed());
                    info!(
                        block,
                        late,
                        accepted = sampled.accepted,
                        refused = sampled.rejected,
                        seconds,
                        "sampled"
                    );
                    self.sampled = Some(block);
                    self.look_at_files();
                }
                Err(error) => {
                    // It is due again in the next turn, while it is not too old.
                    warn!(block, %error, "not sampled");
                    return;
                }
            }
        }
        // Nothing matures within a block.
        if self.opened != Some(head.block) {
            self.open(head).await;
            self.opened = Some(head.block);
        }
    }

    /// Once per sampled block: whether the configuration or a plugin is another.
    fn look_at_files(&mut self) {
        if let Some(mut live) = self.live.take() {
            self.looking = Some(tokio::task::spawn_blocking(move || {
                let refreshed = live.refresh();
                (live, refreshed)
            }));
        }
    }

    /// Runs on with what the files say, where that is new and sound.
    async fn take_configuration(&mut self) {
        let Some(looking) = self.looking.take_if(|looking| looking.is_finished()) else { return };
        let refreshed = match looking.await {
            Ok((live, refreshed)) => {
                self.live = Some(live);
                refreshed
            }
            Err(error) => return error!(%error, "the configuration is not followed any more: restart"),
        };
        match refreshed {
            Refreshed::Unchanged => {}
            Refreshed::Kept { why } => {
                error!(%why, "the changed configuration is not taken; the old one runs on")
            }
            Refreshed::Taken { config, changes } => match self.stepper.set_config(config.clone()) {
                Ok(()) => {
                    info!(changes = changes.join("; "), "the changed configuration is taken");
                    self.config = config;
                }
                Err(error) => error!(%error, "the changed configuration is not taken; the old one runs on"),
            },
        }
    }

    async fn open(&mut self, head: Head) {
        let started = Instant::now();
        match self.stepper.mature(head, &mut self.ledger).await {
            Ok(progress) => {
                if progress.matured > 0 {
                    let seconds = round(started.elapsed());
                    let (blocks, refused) = (progress.matured, progress.rejected);
                    info!(
                        blocks,
                        opened = progress.opened,
                        refused,
                        waiting = progress.waiting,
                        seconds,
                        "opened"
                    );
                }
                // Said once, not at every block.
                if progress.why != self.waits_for {
                    match &progress.why {
                        Some(why) => warn!(blocks = progress.waiting, %why, "payloads wait to be opened"),
                        None => info!("no payload waits any more that could be opened"),
                    }
                    self.waits_for = progress.why;
                }
                if progress.untracked != self.untracked {
                    if let Some(why) = &progress.untracked {
                        warn!(%why, "live states stay behind");
                    }
                    self.untracked = progress.untracked;
                }
            }
            Err(error) => error!(%error, "opening stopped"),
        }
    }

    fn start_scoring(&mut self, head: i64) {
        let network = &self.config.network;
        let Some(block) = schedule::computation(network, self.computed, head) else { return };
        if self.scoring.is_some() || head < self.compute_after || self.neurons.is_empty() {
            return;
        }
        match self.ledger.sampled_blocks() {
            Ok(sampled) if sampled >= u64::from(network.min_sampled) => {}
            Ok(sampled) => {
                debug!(sampled, needed = network.min_sampled, "too few sampled blocks to compute weights");
                return;
            }
            Err(error) => return error!(%error, "weights are not computed"),
        }
        let computation = Computation {
            options: Options {
                ledger: self.ledger.path().to_path_buf(),
                max_block: Some(block - i64::from(network.task_interval)),
                only: None,
                active: Some(self.neurons.iter().map(|neuron| neuron.hotkey.clone()).collect()),
                solver: None,
                threads: self.run.threads,
                scratch: self.run.scratch.clone(),
                launcher: self.run.launcher.clone(),
            },
            config: self.config.clone(),
            neurons: self.neurons.to_vec(),
            block,
        };
        info!(block, "computing weights");
        self.scoring = Some(tokio::task::spawn_blocking(move || computation.run(&Log)));
    }

    /// Keeps the scores that are ready.
    async fn take_scores(&mut self) {
        let Some(scoring) = self.scoring.take_if(|scoring| scoring.is_finished()) else { return };
        // Not so soon: what failed will fail again.
        let retry = self.sampled.unwrap_or(0) + 50;
        let cycle = match scoring.await {
            Ok(Ok(cycle)) => cycle,
            Ok(Err(error)) => {
                self.compute_after = retry;
                return error!(%error, "weights were not computed; trying again in 50 blocks");
            }
            Err(error) => {
                self.compute_after = retry;
                return error!(%error, "computing weights broke off; trying again in 50 blocks");
            }
        };
        if let Err(error) = block_in_place(|| self.ledger.store_cycle(&cycle)) {
            self.compute_after = retry;
            return error!(%error, "the computed weights were not stored; computing again in 50 blocks");
        }
        let paid = cycle.steps.iter().filter(|step| step.salience > 0.0).count();
        let (block, seconds) = (cycle.block, cycle.seconds);
        match &cycle.rejected {
            None => info!(block, max_block = cycle.max_block, paid, seconds, "weights computed"),
            Some(why) => warn!(block, %why, seconds, "no weights: those of last time stay"),
        }
        self.computed = Some(block);
        if cycle.rejected.is_none() {
            self.cycle = Some(Arc::new(cycle));
        }
    }

    async fn start_setting(&mut self, head: i64) {
        let Some(cycle) = self.cycle.clone() else { return };
        let network = self.config.network.clone();
        if self.setting.is_some() || !self.is_setting_due(&self.neurons, head) {
            return;
        }
        // Who holds which UID must be known as it is now.
        match self.chain.metagraph().await {
            Ok(neurons) => self.registered(neurons, head),
            Err(error) => return warn!(%error, "weights are not set yet"),
        }
        if !self.is_setting_due(&self.neurons, head) {
            return;
        }
        let (chain, neurons, dry_run) = (self.chain.clone(), self.neurons.clone(), self.run.dry_run);
        self.setting = Some(tokio::spawn(async move {
            let chain = (!dry_run).then_some(chain.as_ref());
            setter::set(chain, &cycle, &neurons, &network, head).await
        }));
    }

    fn is_setting_due(&self, neurons: &[Neuron], head: i64) -> bool {
        let own = neurons.iter().find(|neuron| Some(&neuron.hotkey) == self.run.hotkey.as_ref());
        let updated = own.map(|neuron| neuron.last_update.cast_signed());
        schedule::setting(&self.config.network, self.attempt.as_ref(), updated, head)
    }

    /// Keeps how an attempt to set weights ended.
    async fn take_attempt(&mut self) {
        let Some(setting) = self.setting.take_if(|setting| setting.is_finished()) else { return };
        let attempt = match setting.await {
            Ok(attempt) => attempt,
            Err(error) => return error!(%error, "setting weights broke off"),
        };
        if let Err(error) = block_in_place(|| self.ledger.store_attempt(&attempt)) {
            error!(%error, "how setting weights ended is not recorded");
        }
        let (block, computed, uids) = (attempt.block, attempt.computed, attempt.weights.len());
        let transaction = attempt.transaction.as_deref().unwrap_or("");
        let why = attempt.error.as_deref().unwrap_or("");
        match attempt.sent {
            Sent::Set => info!(block, computed, uids, transaction, "weights set"),
            Sent::Committed => {
                info!(block, computed, uids, transaction, "weights committed; the chain shows them later")
            }
            Sent::DryRun => info!(block, computed, uids, "weights would be set: this is a dry run"),
            Sent::Unconfirmed => warn!(block, transaction, why, "weights may be set or not"),
            Sent::Failed => error!(block, why, "weights not set; trying again"),
        }
        self.attempt = Some(attempt);
    }

    fn prune(&mut self, head: Head) {
        let block = head.block.cast_signed();
        if self.pruned.is_some_and(|pruned| block - pruned < PRUNE_EVERY) {
            return;
        }
        let days = i64::from(self.config.network.max_days) + MARGIN_DAYS;
        let before = block - days * DAY_BLOCKS;
        let age = (days * DAY_BLOCKS).cast_unsigned() * BLOCK_SECONDS;
        let horizon = Horizon {
            block: before,
            sidx: before.div_euclid(i64::from(self.config.network.sample_every)),
            round: self.scheme.round_at(head.unix.saturating_sub(age)),
        };
        match block_in_place(|| self.ledger.prune(horizon, PRUNED_AT_ONCE)) {
            // There may be more.
            Ok(removed @ 1..) => debug!(removed, before, "old rows removed"),
            Ok(0) => self.pruned = Some(block),
            Err(error) => {
                error!(%error, "old rows are not removed");
                self.pruned = Some(block);
            }
        }
    }
}

/// Seconds, to the hundredth.
fn round(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}

/// Passes on what scoring says.
struct Log;

impl Observer for Log {
    fn progress(&self, _ticker: &str, _done: f64) {}

    fn log(&self, ticker: &str, line: &str) {
        info!(ticker, line, "plugin");
    }

    fn finished(&self, scored: &Scored) {
        let (ticker, seconds) = (&scored.ticker, round(Duration::from_secs_f64(scored.seconds)));
        match &scored.skipped {
            None => debug!(ticker, seconds, "scored"),
            Some(why) => info!(ticker, seconds, why, "pays nobody"),
        }
    }
}
