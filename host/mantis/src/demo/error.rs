//! What can end a demo.

use super::world::WorldError;
use mantis_config::Block;
use mantis_ledger::LedgerError;
use mantis_network::bucket::BucketError;
use mantis_network::chain::ChainError;
use mantis_validator::{ComputationError, HotReloadError, PipelineError, SetupError};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a demo ended early. Started again, it goes on where it was.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each is another module's error")]
pub enum DemoError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Store(#[from] BucketError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    HotReload(#[from] HotReloadError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Weights(#[from] ComputationError),
    #[error("the signal: {0}")]
    Signal(String),
    #[error("the weights of block {block} are not set: {why}")]
    NotSet { block: Block, why: String },
}
