//! The validator as a service: one turn after another, for months.

mod agreeing;
mod believing;
mod computing;
mod configuration;
#[cfg(test)]
mod dishonest_test;
#[cfg(test)]
mod node_that_lies;
mod releases;
mod runtime;
mod sampling;
mod setting;

use super::belief::{Belief, Seen};
use super::clock::unix;
use super::computation::ComputationError;
use super::eras::Eras;
use super::facts::FactKeeper;
use super::release::{AllRefreshed, ReleaseKeeper, Timeline};
use super::{Board, Pipeline, Refreshed, SetupError, TakeOver, schedule};
use mantis_config::{Block, Clock, Config};
use mantis_ledger::{Attempt, ChainRecord, Computation, Ledger, LedgerError};
use mantis_network::chain::{Chain, ChainError, EpochState, Finality, Head, Neuron};
use mantis_payload::beacon::Scheme;
use mantis_scoring::scratch::sweep;
use mantis_scoring::worker::Launcher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{debug, error, info, warn};

/// How a validator is run.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// Our own hotkey; `None` where nothing is set.
    pub hotkey: Option<String>,
    /// Whether weights are only computed and recorded, and nothing is sent.
    pub dry_run: bool,
    /// When weights are set though another host has set some with our hotkey.
    pub take_over: TakeOver,
    /// Time between two looks at the chain's newest block.
    pub poll: Duration,
    /// Challenges scored at the same time, at least 1.
    pub threads: usize,
    /// Folder of kept histories; `None`: none is kept.
    pub histories: Option<PathBuf>,
    /// Folder for histories that are not kept.
    pub scratch: PathBuf,
    /// Starts the worker processes.
    pub launcher: Launcher,
}

/// A validator that samples, opens, scores and sets weights as blocks come. All that it knows is in the ledger: one that
/// was ended, however, goes on where it was.
pub struct Service {
    run: ServiceOptions,
    /// The configuration that counts for the newest row.
    config: Arc<Config>,
    /// Which counts for which row.
    eras: Eras,
    live: Option<Timeline>,
    /// Looking at the configuration's files, which may take as long as a plugin is compiled.
    looking: Option<JoinHandle<(Timeline, AllRefreshed)>>,
    /// Following the releases of the subnet's owner.
    releases: Option<ReleaseKeeper>,
    /// What was said of them last.
    said: releases::Said,
    followed: configuration::FollowedRelease,
    chain: Arc<dyn Chain>,
    scheme: Scheme,
    ledger: Ledger,
    pipeline: Pipeline,
    facts: FactKeeper,
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
    /// What is known of the chain, and what the ledger remembers of it.
    belief: Belief,
    record: ChainRecord,
    /// Whether the chain was found to be the one that the ledger is of.
    is_ours: bool,
    /// What was final when the newest block that was seen came.
    finality: Option<(Block, Option<Finality>)>,
    /// Since when what the chain says is not believed.
    doubt: Option<Doubt>,
    /// At which of the chain's blocks there was nothing left to forget.
    pruned: Option<Block>,
    scoring: Option<JoinHandle<Result<Computation, ComputationError>>>,
    /// The block that scoring goes on for.
    computing: Option<Block>,
    setting: Option<JoinHandle<(i64, Attempt)>>,
    /// Asking for all validators' weights, and at which block that was done last.
    agreeing: Option<JoinHandle<Result<EpochState, ChainError>>>,
    agreed: Option<Block>,
    /// The block of the last computation.
    computed: Option<Block>,
    /// The last computation that weights came of.
    computation: Option<Arc<Computation>>,
    attempt: Option<Attempt>,
    /// At which block it was found that others are to set weights, and not we.
    stood_by: Option<Block>,
    /// Not before this block is a computation that failed tried again.
    compute_after: Block,
    /// Since when the chain does not answer.
    lost: Option<Lost>,
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
    #[error(transparent)]
    Chain(ChainError),
    #[error(
        "{path}: this ledger is of the chain whose first block is {known}, and the node's is {found}: give the network that \
         it is of, another --ledger, or, if the chain was begun again, `mantis rewind --ledger {path} --forget-chain`"
    )]
    OtherChain { path: PathBuf, known: String, found: String },
}

/// The chain is not believed.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// Unix time, s.
    since: u64,
    /// When another node was asked for.
    left: u64,
    /// Whether it was said as an error.
    said: bool,
}

/// The chain does not answer.
#[derive(Clone, Copy, Debug)]
struct Lost {
    since: Instant,
    /// Whether it was said as an error.
    said: bool,
}

/// Time without an answer that is told as an error.
const LOST: Duration = Duration::from_secs(300);

impl Service {
    /// Takes up where the ledger is; says on the board what it is doing.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn new(
        run: ServiceOptions,
        live: impl Into<Timeline>,
        chain: Arc<dyn Chain>,
        mut ledger: Ledger,
        board: Board,
    ) -> Result<Self, ServiceError> {
        let live = live.into();
        match sweep(&run.scratch) {
            Ok(0) => {}
            Ok(folders) => info!(folders, "history snapshots that a killed process left are removed"),
            Err(error) => {
                warn!(%error, folder = %run.scratch.display(), "left history snapshots are not removed")
            }
        }
        let eras = live.eras();
        let config = eras.newest().config.clone();
        ledger.keep_layout(&config)?;
        let scheme = Scheme::from_config(&config.beacon).map_err(SetupError::from)?;
        let mut pipeline = Pipeline::new(config.clone(), run.launcher.clone())?;
        pipeline.set_eras(eras.clone());
        let service = Self::with(run, (config, Some(live)), (scheme, pipeline), chain, ledger, board)?;
        let release = eras.newest().release;
        let followed = configuration::FollowedRelease { release, ..Default::default() };
        Ok(Self { eras, followed, ..service })
    }

    /// Follows the releases of the subnet's owner, too.
    #[must_use]
    pub fn with_releases(self, keeper: Option<ReleaseKeeper>) -> Self {
        let service = Self { releases: keeper, ..self };
        service.show_releases(None);
        service
    }

    /// Takes up where the ledger is, with what is ready.
    fn with(
        run: ServiceOptions,
        (config, live): (Arc<Config>, Option<Timeline>),
        (scheme, pipeline): (Scheme, Pipeline),
        chain: Arc<dyn Chain>,
        ledger: Ledger,
        board: Board,
    ) -> Result<Self, ServiceError> {
        let (record, held) = (ledger.chain_record()?, ledger.last_block()?);
        let mut last = ledger.last_computation()?;
        if let Some(last) = &mut last {
            last.scored = ledger.scored(last.block)?;
            board.write(|status| status.weights.computed_with(last));
        }
        let mut service = Self {
            scheme,
            pipeline,
            facts: FactKeeper::default(),
            belief: Belief::new(record.head.map(|(block, unix)| Seen { block, unix }), held)
                .with_any_pace(config.network.clock == Clock::Chain),
            record,
            is_ours: false,
            finality: None,
            doubt: None,
            sampled: held,
            computed: last.map(|computation| computation.block),
            computation: ledger.last_weights()?.map(Arc::new),
            attempt: ledger.attempts(1)?.pop(),
            stood_by: None,
            board,
            run,
            eras: Eras::one(config.clone()),
            config,
            live,
            looking: None,
            releases: None,
            said: releases::Said::default(),
            followed: configuration::FollowedRelease::default(),
            chain,
            ledger,
            neurons: Arc::default(),
            metagraph: None,
            opened: None,
            waits_for: None,
            untracked: None,
            pruned: None,
            scoring: None,
            computing: None,
            setting: None,
            agreeing: None,
            agreed: None,
            compute_after: Block(0),
            lost: None,
        };
        service.board.write(|status| {
            status.hotkey.clone_from(&service.run.hotkey);
            status.dry_run = service.run.dry_run;
            status.sampling.block = service.sampled;
        });
        service.facts.set_config(&service.config).map_err(SetupError::from)?;
        service.say_weights(None);
        Ok(service)
    }

    /// Goes on until `stop` is ready. What fails is logged and tried again; nothing ends it but `stop`, once it was found
    /// that the chain is the ledger's and has the subnet. Needs a runtime with more than one thread.
    ///
    /// # Errors
    /// [`ServiceError::OtherChain`], and [`ServiceError::Chain`] for a subnet that is not there.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let mut stop = std::pin::pin!(stop);
        let ended = loop {
            let poll = self.run.poll;
            let turn = async {
                self.turn(unix()).await?;
                sleep(poll).await;
                Ok::<_, ServiceError>(())
            };
            // A turn that is broken off leaves whole transactions only.
            tokio::select! {
                biased;
                () = &mut stop => break Ok(()),
                turned = turn => {
                    if let Err(error) = turned {
                        break Err(error);
                    }
                }
            }
        };
        info!("stopping");
        if let Some(setting) = self.setting.take() {
            setting.abort();
        }
        if let Some(agreeing) = self.agreeing.take() {
            agreeing.abort();
        }
        ended
    }

    /// What there is to do at a time.
    async fn turn(&mut self, now: u64) -> Result<(), ServiceError> {
        let head = match self.look_at_chain(now).await {
            Ok(Some(head)) => head,
            Ok(None) => {
                // What was begun while the chain was believed is kept.
                self.take_scores().await;
                self.take_attempt().await;
                self.say_weights(self.board.status().chain.block);
                return Ok(());
            }
            // Nothing was read of the subnet yet: it is not there, and waiting does not bring it.
            Err(ServiceError::Chain(error)) if !is_final(&error) || self.metagraph.is_some() => {
                self.chain_is_lost(&error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let block = head.block;
        self.take_configuration().await;
        self.follow_releases(head).await;
        if self.sample_what_is_due(head).await {
            self.follow(block);
        }
        self.take_scores().await;
        self.start_scoring(block);
        self.take_attempt().await;
        self.start_setting(block).await;
        self.take_agreement().await;
        self.start_agreeing(block);
        self.say_weights(Some(block));
        self.prune(head, now);
        Ok(())
    }

    /// The newest block, if it is believed, and a metagraph that is.
    async fn look_at_chain(&mut self, now: u64) -> Result<Option<Head>, ServiceError> {
        let head = self.chain.head().await.map_err(ServiceError::Chain)?;
        if !self.is_ours {
            self.compare_chains().await?;
        }
        if !self.believes(now, head).await? {
            self.chain_answers(head);
            return Ok(None);
        }
        if schedule::metagraph(self.metagraph, head.block) {
            match self.chain.metagraph().await {
                Ok(neurons) => {
                    if self.takes_metagraph(neurons, head.block) {
                        self.look_at_runtime(head.block).await;
                        self.look_for_committed(head.block).await;
                    }
                }
                // An old one will do; without any there is no miner to sample.
                Err(error) if self.metagraph.is_none() => return Err(ServiceError::Chain(error)),
                Err(error) => self.doubt_metagraph(error.to_string(), false),
            }
        }
        self.chain_answers(head);
        if self.metagraph.is_none() {
            return Ok(None);
        }
        self.board.write(|status| status.answered(head));
        Ok(Some(head))
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

    /// The chain answers, after it did not.
    fn chain_answers(&mut self, head: Head) {
        if let Some(Lost { since, .. }) = self.lost.take() {
            info!(block = head.block.0, seconds = since.elapsed().as_secs(), "the chain answers again");
        }
    }

    fn chain_is_lost(&mut self, error: &ChainError) {
        self.board.write(|status| status.unanswered(error.to_string()));
        match &mut self.lost {
            None => {
                warn!(%error, "the chain does not answer");
                self.lost = Some(Lost { since: Instant::now(), said: false });
            }
            Some(Lost { since, said }) if !*said && since.elapsed() >= LOST => {
                *said = true;
                error!(%error, seconds = since.elapsed().as_secs(), "the chain has not answered for long: nothing is sampled or set");
            }
            Some(Lost { since, .. }) => {
                debug!(%error, seconds = since.elapsed().as_secs(), "still no answer")
            }
        }
    }

    /// Takes over who is registered.
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
        let own = self.own(&neurons);
        self.board.write(|status| {
            status.chain.metagraph_fault = None;
            status.chain.neurons = Some(neurons.len());
            status.chain.registered = self.run.hotkey.as_ref().map(|_| own.is_some());
            status.chain.permit = own.map(|neuron| neuron.validator_permit);
        });
        self.neurons = Arc::new(neurons);
        self.metagraph = Some(block);
    }
}

/// Whether it is no use to wait for another answer.
fn is_final(error: &ChainError) -> bool {
    matches!(error, ChainError::Missing { .. })
}

/// Seconds, to the hundredth.
fn round(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
