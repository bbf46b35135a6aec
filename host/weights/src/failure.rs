//! A challenge that failed, as opposed to one that has too little to go on.

use mantis_config::Block;
use serde::Serialize;
use std::fmt;

/// Why a challenge failed. What it means for the weights is the same for all: see [`Held`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The plugin's file is missing, is not the pinned one, or cannot be loaded.
    Plugin,
    /// The plugin refuses the challenge's dim, assets, horizon or parameters.
    Configuration,
    /// The plugin's process ended, or the plugin panicked or trapped.
    Crash,
    /// It took longer than it may.
    Deadline,
    /// It asked for more memory than it may have.
    Memory,
    /// What it gave is not what the contract allows.
    Contract,
    /// It says that it cannot score.
    Refused,
    /// The ledger, or the history made from it, cannot be read.
    History,
    /// The host could not start it, or not serve it.
    Host,
}

impl FailureCause {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Plugin,
        Self::Configuration,
        Self::Crash,
        Self::Deadline,
        Self::Memory,
        Self::Contract,
        Self::Refused,
        Self::History,
        Self::Host,
    ];

    /// The word for it in the ledger, in metrics and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Configuration => "configuration",
            Self::Crash => "crash",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Contract => "contract",
            Self::Refused => "refused",
            Self::History => "history",
            Self::Host => "host",
        }
    }

    /// The one that is called so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Saliences of an earlier computation, which stand in for those of a challenge that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The block of the computation that they come from.
    pub block: Block,
    /// How many computations ago that was, at least 1.
    pub computations: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_found_by_its_word() {
        for cause in FailureCause::ALL {
            assert_eq!(FailureCause::from_word(cause.as_str()), Some(cause));
            assert_eq!(serde_json::to_string(&cause).unwrap(), format!("\"{cause}\""));
        }
        assert_eq!(FailureCause::from_word("weather"), None);
    }
}
