//! Why the walk ended early.

use crate::logistic::FitError;
use mantis_plugin_api::PluginError;
use thiserror::Error;

/// Why the walk ended early.
#[derive(Debug, Error)]
pub enum PooledError<E> {
    /// A column cannot be read.
    #[error("a miner's numbers cannot be read: {0}")]
    Column(E),
    /// A model cannot be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// A walk whose columns come from a [`History`](mantis_plugin_api::History): its own error, or the fit's.
impl From<PooledError<Self>> for PluginError {
    fn from(error: PooledError<Self>) -> Self {
        match error {
            PooledError::Column(error) => error,
            PooledError::Fit(error) => error.into(),
        }
    }
}
