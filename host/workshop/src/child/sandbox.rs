//! Where a strategy runs.

use super::mounts::{arguments, handed_on, leads_to};
use super::program::Program;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use thiserror::Error;

/// Where a strategy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// In bubblewrap: no network, no files but the system's programs and its own, no other processes.
    Bubblewrap,
    /// As this user, who may read the ledger: a result of it proves nothing.
    None,
}

/// Why it cannot run there.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// bubblewrap is missing, or the system does not let it.
    #[error(
        "no sandbox for the strategy: {0}; install bubblewrap (`apt-get install bubblewrap`) and allow user namespaces, or run \
         with --unsafe, which marks the result as unproven"
    )]
    Missing(String),
    /// This process was started with a file open that the strategy would inherit.
    #[error(
        "descriptor {descriptor} is open on {} and would be handed on to the strategy; start this without it (in a shell: \
         {descriptor}>&-)",
        path.display()
    )]
    HandedOn {
        /// Its number.
        descriptor: i32,
        /// The file.
        path: PathBuf,
    },
    /// What is shown to the strategy holds the ledger.
    #[error(
        "{} would show the strategy the ledger {}; move one of them elsewhere, or name the strategy's file in the place of its \
         folder",
        shown.display(),
        ledger.display()
    )]
    Ledger {
        /// The folder.
        shown: PathBuf,
        /// The ledger.
        ledger: PathBuf,
    },
}

/// The sandbox's program.
const BWRAP: &str = "bwrap";

impl Sandbox {
    /// Tries bubblewrap on this system.
    ///
    /// # Errors
    /// [`SandboxError::Missing`] with what the system says; [`SandboxError::HandedOn`].
    pub fn bubblewrap() -> Result<Self, SandboxError> {
        if let Some((descriptor, path)) = handed_on() {
            return Err(SandboxError::HandedOn { descriptor, path });
        }
        let tried = Command::new(BWRAP).args(arguments(&[])).arg("true").stdin(Stdio::null()).output();
        match tried {
            Ok(output) if output.status.success() => Ok(Self::Bubblewrap),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said: String = said.trim().chars().take(300).collect();
                Err(SandboxError::Missing(if said.is_empty() { output.status.to_string() } else { said }))
            }
            Err(error) => Err(SandboxError::Missing(format!("`{BWRAP}`: {error}"))),
        }
    }

    /// Refuses a strategy that could read this file from within.
    ///
    /// # Errors
    /// [`SandboxError::Ledger`].
    pub fn hide(self, program: &Program, ledger: &Path) -> Result<(), SandboxError> {
        if self == Self::None {
            return Ok(());
        }
        match leads_to(&program.mounts(), ledger) {
            Some(shown) => Err(SandboxError::Ledger { shown, ledger: ledger.into() }),
            None => Ok(()),
        }
    }

    /// The command that starts a strategy there.
    pub(super) fn command(self, program: &Program) -> Vec<OsString> {
        match self {
            Self::None => program.command(false),
            Self::Bubblewrap => {
                let environment = program.environment(true).into_iter();
                let environment =
                    environment.flat_map(|(name, value)| ["--setenv".into(), name.into(), value]);
                std::iter::once(BWRAP.into())
                    .chain(arguments(&program.mounts()))
                    .chain(environment)
                    .chain(["--".into()])
                    .chain(program.command(true))
                    .collect()
            }
        }
    }
}
