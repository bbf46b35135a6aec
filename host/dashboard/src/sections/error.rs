//! Why a page cannot be made.

use mantis_ledger::LedgerError;
use thiserror::Error;

/// Why a page or the report cannot be made.
#[derive(Debug, Error)]
pub enum RenderError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A template cannot be filled.
    #[error("a template cannot be filled: {0}")]
    Template(#[from] askama::Error),
}
