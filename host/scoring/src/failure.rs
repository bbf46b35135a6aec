//! Why a challenge could not be scored.

use crate::plugins::{Broken, LocateError};
use crate::worker::{Failure, WorkerError};
use mantis_ledger::LedgerError;
use mantis_ledger::snapshot::SnapshotError;
use mantis_plugin_api::PluginError;
use mantis_weights::FailureCause;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a challenge could not be scored.
#[derive(Debug, Error)]
pub(super) enum ChallengeError {
    /// Its plugin is not there.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The history cannot be made.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// There is no place for the history.
    #[error("cannot make a folder for the history in {}: {source}", folder.display())]
    Scratch {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The engine that is to run its worker cannot be given anything.
    #[error("{0}")]
    Batch(String),
    /// The worker says that it failed, or ended.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The worker ended well, and said no score.
    #[error("the worker gave no score")]
    NoScore,
}

impl ChallengeError {
    /// What kind of failure it is.
    pub(super) fn cause(&self) -> FailureCause {
        match self {
            Self::Locate(_) | Self::Worker(WorkerError::Failed(Failure::Load(_))) => FailureCause::Plugin,
            Self::Ledger(_) | Self::Snapshot(_) | Self::Worker(WorkerError::Failed(Failure::History(_))) => {
                FailureCause::History
            }
            Self::Scratch { .. }
            | Self::Batch(_)
            | Self::Worker(
                WorkerError::Start { .. } | WorkerError::Silent { .. } | WorkerError::Queued { .. },
            ) => FailureCause::Host,
            Self::Worker(error) if error.lacked_memory() => FailureCause::Memory,
            Self::Worker(WorkerError::Crashed { .. }) => FailureCause::Crash,
            Self::Worker(WorkerError::Deadline { .. }) => FailureCause::Deadline,
            Self::Worker(WorkerError::Failed(Failure::Plugin(error))) => cause_of(error),
            Self::NoScore => FailureCause::Contract,
        }
    }

    /// The whole of it in a line.
    pub(super) fn into_line(self) -> String {
        format!("{:#}", anyhow::Error::from(self))
    }
}

fn cause_of(error: &PluginError) -> FailureCause {
    match error {
        PluginError::Parameter { .. } | PluginError::Spec { .. } => FailureCause::Configuration,
        PluginError::Panic { .. } => FailureCause::Crash,
        PluginError::Host { .. } => FailureCause::Host,
        PluginError::Data { message } => match Broken::find(message) {
            Some(Broken::Contract) => FailureCause::Contract,
            Some(Broken::Trap) => FailureCause::Crash,
            Some(Broken::Memory) => FailureCause::Memory,
            None => FailureCause::Refused,
        },
        _ => FailureCause::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn plugin(error: PluginError) -> ChallengeError {
        WorkerError::Failed(Failure::Plugin(error)).into()
    }

    #[test]
    fn causes_are_told_apart() {
        let message = |text: &str| plugin(PluginError::data(text));
        for (error, cause) in [
            (
                WorkerError::Deadline { seconds: Duration::from_secs(1).as_secs_f64() }.into(),
                FailureCause::Deadline,
            ),
            (
                WorkerError::Crashed {
                    plugin: "a.so".into(),
                    how: "signal: 6".into(),
                    signal: Some(6),
                    stderr: String::new(),
                }
                .into(),
                FailureCause::Crash,
            ),
            (
                WorkerError::Crashed {
                    plugin: "a.so".into(),
                    how: "signal: 6".into(),
                    signal: Some(6),
                    stderr: "memory allocation of 67108864 bytes failed".into(),
                }
                .into(),
                FailureCause::Memory,
            ),
            (plugin(PluginError::spec("dim", "3", "2")), FailureCause::Configuration),
            (plugin(PluginError::Panic { message: "so".into() }), FailureCause::Crash),
            (plugin(Broken::Contract.error("a salience of NaN")), FailureCause::Contract),
            (plugin(Broken::Trap.error("integer overflow")), FailureCause::Crash),
            (plugin(Broken::Memory.error("9 MiB of memory")), FailureCause::Memory),
            (message("told to fail"), FailureCause::Refused),
            (WorkerError::Failed(Failure::History("cut".into())).into(), FailureCause::History),
            (ChallengeError::NoScore, FailureCause::Contract),
        ] {
            assert_eq!(error.cause(), cause, "{error}");
        }
    }
}
