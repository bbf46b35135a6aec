//! The validator as a service: one turn after another, for months.

mod computing;
mod configuration;
mod sampling;
mod setting;

use super::clock::unix;
use super::computation::ComputationError;
use super::{Board, HotReload, Pipeline, Refreshed, SetupError, schedule};
use mantis_config::{Block, Config};
use mantis_ledger::{Attempt, Computation, Ledger, LedgerError};
use mantis_network::chain::{Chain, ChainError, Neuron};
use mantis_payload::beacon::Scheme;
use mantis_scoring::scratch::sweep;
use mantis_scoring::worker::Launcher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

/// How a validator is run.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
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
    run: ServiceOptions,
    config: Arc<Config>,
    live: Option<HotReload>,
    /// Looking at the configuration's files, which may take as long as a plugin is compiled.
    looking: Option<JoinHandle<(HotReload, Refreshed)>>,
    chain: Arc<dyn Chain>,
    scheme: Scheme,
    ledger: Ledger,
    pipeline: Pipeline,
    neurons: Arc<Vec<Neuron>>,
    /// The block of the metagraph that `neurons` is.
    metagraph: Option<Block>,
    /// The newest block that was taken or given up.
    sampled: Option<Block>,
    /// The newest block at which payloads were opened.
    opened: Option<Block>,
    /// Why payloads wait, and live states stay behind, as it was said last.
    waits_for: Option<String>,
    untracked: Option<String>,
    /// Whether it was said that the chain is behind the ledger.
    said_behind: bool,
    pruned: Option<Block>,
    scoring: Option<JoinHandle<Result<Computation, ComputationError>>>,
    /// The block that scoring goes on for.
    computing: Option<Block>,
    setting: Option<JoinHandle<Attempt>>,
    /// The block of the last computation.
    computed: Option<Block>,
    /// The last computation that weights came of.
    computation: Option<Arc<Computation>>,
    attempt: Option<Attempt>,
    /// Not before this block is a computation that failed tried again.
    compute_after: Block,
    /// Since when the chain does not answer.
    lost: Option<Instant>,
    /// Where it says what it is doing.
    board: Board,
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
    /// Takes up where the ledger is; says on the board what it is doing.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn new(
        run: ServiceOptions,
        live: HotReload,
        chain: Arc<dyn Chain>,
        ledger: Ledger,
        board: Board,
    ) -> Result<Self, ServiceError> {
        match sweep(&run.scratch) {
            Ok(0) => {}
            Ok(folders) => info!(folders, "history snapshots that a killed process left are removed"),
            Err(error) => {
                warn!(%error, folder = %run.scratch.display(), "left history snapshots are not removed")
            }
        }
        let config = live.current().clone();
        let scheme = Scheme::from_config(&config.beacon).map_err(SetupError::from)?;
        let pipeline = Pipeline::new(config.clone(), run.launcher.clone())?;
        let service = Self {
            scheme,
            pipeline,
            sampled: ledger.last_block()?,
            computed: ledger.last_computation()?.map(|computation| computation.block),
            computation: ledger.last_weights()?.map(Arc::new),
            attempt: ledger.attempts(1)?.pop(),
            board,
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
            computing: None,
            setting: None,
            compute_after: Block(0),
            lost: None,
        };
        service.board.write(|status| {
            status.hotkey.clone_from(&service.run.hotkey);
            status.dry_run = service.run.dry_run;
            status.sampling.block = service.sampled;
        });
        service.say_weights(None);
        Ok(service)
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
        self.board.write(|status| status.answered(head));
        if let Some(since) = self.lost.take() {
            info!(block = head.block.0, seconds = since.elapsed().as_secs(), "the chain answers again");
        }
        let block = head.block;
        if schedule::metagraph(self.metagraph, block) {
            match self.chain.metagraph().await {
                Ok(neurons) => {
                    self.registered(neurons, block);
                    self.look_for_committed(block).await;
                }
                // An old one will do; without any there is no miner to sample.
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
        self.say_weights(Some(block));
        self.prune(head);
        sleep(self.run.poll).await;
    }

    /// Says what was computed and set, and what is due next.
    fn say_weights(&self, head: Option<Block>) {
        let network = &self.config.network;
        let interval = i64::from(network.weight_set_interval);
        let next_computation = head.map(|head| head.next_multiple(network.weight_calc_interval));
        let attempt = self.attempt.as_ref();
        self.board.write(|status| {
            let weights = &mut status.weights;
            weights.computed = self.computed;
            weights.computing = self.scoring.as_ref().and(self.computing);
            weights.next_computation = next_computation;
            weights.tried(attempt);
            weights.next_setting = attempt.map(|attempt| attempt.block + interval);
        });
    }

    async fn chain_is_lost(&mut self, error: &ChainError) {
        self.board.write(|status| {
            status.alive = unix();
            status.chain.fault = Some(error.to_string());
        });
        match self.lost {
            None => {
                warn!(%error, "the chain does not answer");
                self.lost = Some(Instant::now());
            }
            Some(since) => debug!(%error, seconds = since.elapsed().as_secs(), "still no answer"),
        }
        sleep(self.run.poll).await;
    }

    fn registered(&mut self, neurons: Vec<Neuron>, block: Block) {
        if let (Some(own), false) = (&self.run.hotkey, self.run.dry_run) {
            match neurons.iter().find(|neuron| neuron.hotkey == *own) {
                None => warn!(hotkey = %own, "our hotkey is not registered: weights cannot be set"),
                Some(neuron) if !neuron.validator_permit && self.metagraph.is_none() => {
                    warn!(uid = neuron.uid, "our hotkey has no validator permit: weights may be refused");
                }
                Some(_) => {}
            }
        }
        let own = neurons.iter().find(|neuron| Some(&neuron.hotkey) == self.run.hotkey.as_ref());
        self.board.write(|status| {
            status.chain.neurons = Some(neurons.len());
            status.chain.registered = self.run.hotkey.as_ref().map(|_| own.is_some());
            status.chain.permit = own.map(|neuron| neuron.validator_permit);
        });
        self.neurons = Arc::new(neurons);
        self.metagraph = Some(block);
    }
}

/// Seconds, to the hundredth.
fn round(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
