//! One step: sample a block, then open what has matured.

use super::eras::Eras;
use super::{Decoders, MatureError, Maturer, Progress, SampleError, Sampled, Sampler, SetupError, Tracking};
use mantis_config::Config;
use mantis_ledger::Ledger;
use mantis_network::beacon::BeaconClient;
use mantis_network::chain::{Chain, ChainError, Head, Neuron};
use mantis_payload::beacon::Scheme;
use mantis_scoring::worker::Launcher;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::task::block_in_place;
use tokio::time::Instant;

/// Time that opening may take in one step; what is not opened by then is opened in the next one.
const OPENING: Duration = Duration::from_secs(15);
/// Time that live states may take in one step beyond the plugin's answer that is waited for; the rest is done in the
/// next one.
const TRACKING: Duration = Duration::from_secs(5);
/// Time that a plugin has for the submissions of one block, or for some rows of live states.
const DECODING: Duration = Duration::from_secs(10);

/// Takes steps.
pub struct Pipeline {
    config: Arc<Config>,
    scheme: Scheme,
    beacon: BeaconClient,
    sampler: Sampler,
    maturer: Maturer,
    tracking: Tracking,
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassReport {
    /// What was sampled.
    pub sampled: Sampled,
    /// What was opened.
    pub progress: Progress,
}

/// Why a step was not taken, or not to its end.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each is another module's error")]
pub enum PipelineError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Sample(#[from] SampleError),
    #[error(transparent)]
    Mature(#[from] MatureError),
}

impl Pipeline {
    /// Steps by a configuration; `launcher` starts the processes of plugins.
    ///
    /// # Errors
    /// If HTTP clients cannot be set up, or the beacon's key is not valid.
    pub fn new(config: Arc<Config>, launcher: Launcher) -> Result<Self, SetupError> {
        let scheme = Scheme::from_config(&config.beacon)?;
        let beacon = BeaconClient::new(scheme.clone(), &config.beacon.api)?;
        let launcher = Launcher { deadline: DECODING, ..launcher };
        let decoders = Decoders::new(config.clone(), launcher.clone());
        let tracking = Tracking::new(config.clone(), launcher);
        let sampler = Sampler::new(config.clone(), scheme.clone())?;
        let maturer = Maturer::new(config.clone(), beacon.clone(), decoders);
        Ok(Self { config, scheme, beacon, sampler, maturer, tracking })
    }

    /// Goes on with another configuration, such as one from [`HotReload`](super::HotReload). HTTP clients, and the processes of
    /// plugins whose file, challenge and parameters are the old ones, stay as they are. Its beacon has the key and the
    /// times of the old one. Challenges that are new have rows from the next sample on.
    ///
    /// # Errors
    /// If HTTP clients cannot be set up; then nothing is changed.
    pub fn set_config(&mut self, config: Arc<Config>) -> Result<(), SetupError> {
        let beacon = if self.config.beacon.api == config.beacon.api {
            self.beacon.clone()
        } else {
            BeaconClient::new(self.scheme.clone(), &config.beacon.api)?
        };
        self.sampler.set_config(config.clone())?;
        self.maturer.set_config(config.clone(), beacon.clone());
        self.tracking.set_config(config.clone());
        (self.config, self.beacon) = (config, beacon);
        Ok(())
    }

    /// From now on, what waits is decoded by the configuration that counts for its own block; the rest goes by the one that
    /// was [set](Pipeline::set_config).
    pub fn set_eras(&mut self, eras: Eras) {
        self.maturer.set_eras(eras);
    }

    /// Samples the chain's newest block, then opens what has matured.
    ///
    /// # Errors
    /// [`PipelineError`]. What was committed before stays.
    pub async fn step(
        &mut self,
        chain: &dyn Chain,
        ledger: &mut Ledger,
    ) -> Result<PassReport, PipelineError> {
        let head = chain.head().await?;
        let neurons = chain.metagraph().await?;
        let sampled = self.sample(chain, &neurons, head, ledger).await?;
        Ok(PassReport { sampled, progress: self.mature(head, ledger).await? })
    }

    /// Samples a block for these neurons.
    ///
    /// # Errors
    /// [`SampleError`]; nothing of the block is stored.
    pub async fn sample(
        &self,
        chain: &dyn Chain,
        neurons: &[Neuron],
        head: Head,
        ledger: &mut Ledger,
    ) -> Result<Sampled, SampleError> {
        self.sampler.sample(chain, neurons, head, ledger).await
    }

    /// Opens what has matured by a block, and takes it into live states.
    ///
    /// # Errors
    /// [`PipelineError`].
    pub async fn mature(&mut self, head: Head, ledger: &mut Ledger) -> Result<Progress, PipelineError> {
        let progress = self.maturer.mature(ledger, head.block, head.unix, Instant::now() + OPENING).await?;
        let until = Instant::now() + TRACKING;
        let untracked = block_in_place(|| self.tracking.go_on(ledger, until)).map_err(MatureError::from)?;
        Ok(Progress { untracked, ..progress })
    }
}
