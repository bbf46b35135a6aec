//! One step: sample a block, then open what has matured.

use super::{Decoders, MatureError, Maturer, Progress, SampleError, Sampled, Sampler, SetupError};
use crate::beacon::{Client, Scheme};
use crate::chain::{Chain, ChainError, Head};
use crate::config::Config;
use crate::ledger::Ledger;
use crate::worker::Launcher;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// Time that opening may take in one step; what is not opened by then is opened in the next one.
const OPENING: Duration = Duration::from_secs(15);
/// Time that a plugin has for the submissions of one block.
const DECODING: Duration = Duration::from_secs(10);

/// Takes steps.
pub struct Stepper {
    sampler: Sampler,
    maturer: Maturer,
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stepped {
    /// What was sampled.
    pub sampled: Sampled,
    /// What was opened.
    pub progress: Progress,
}

/// Why a step was not taken, or not to its end.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each is another module's error")]
pub enum StepError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Sample(#[from] SampleError),
    #[error(transparent)]
    Mature(#[from] MatureError),
}

impl Stepper {
    /// Steps by a configuration; `launcher` starts the processes of plugins.
    ///
    /// # Errors
    /// Where HTTP clients cannot be set up, or the beacon's key is none.
    pub fn new(config: Arc<Config>, launcher: Launcher) -> Result<Self, SetupError> {
        let scheme = Scheme::from_config(&config.beacon)?;
        let beacon = Client::new(scheme.clone(), &config.beacon.api)?;
        let decoders = Decoders::new(config.clone(), Launcher { deadline: DECODING, ..launcher });
        let sampler = Sampler::new(config.clone(), scheme)?;
        Ok(Self { sampler, maturer: Maturer::new(config, beacon, decoders) })
    }

    /// Samples the chain's newest block, then opens what has matured.
    ///
    /// # Errors
    /// [`StepError`]. What was committed before stays.
    pub async fn step(&mut self, chain: &dyn Chain, ledger: &mut Ledger) -> Result<Stepped, StepError> {
        let head = chain.head().await?;
        let neurons = chain.metagraph().await?;
        let sampled = self.sampler.sample(chain, &neurons, head, ledger).await?;
        Ok(Stepped { sampled, progress: self.mature(head, ledger).await? })
    }

    /// Opens what has matured by a block.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn mature(&mut self, head: Head, ledger: &mut Ledger) -> Result<Progress, StepError> {
        Ok(self.maturer.mature(ledger, head.block, head.unix, Instant::now() + OPENING).await?)
    }
}
