//! Why a strategy was not measured.

use crate::child::{ChildError, ProgramError, SandboxError};
use mantis_ledger::export::ExportError;
use mantis_scoring::worker::WorkerError;
use thiserror::Error;

/// Why a strategy was not measured.
#[derive(Debug, Error)]
pub enum WorkshopError {
    /// There is nothing to start.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// It cannot run where it sees nothing.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// It failed.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The challenge's plugin failed.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The ledger or the plugin's labels cannot be had.
    #[error("{0:#}")]
    Ledger(anyhow::Error),
    /// There are too few rows.
    #[error("{0}")]
    Rows(String),
    /// The embeddings cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
}
