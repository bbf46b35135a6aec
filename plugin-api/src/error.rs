//! Errors that cross the plugin boundary.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a plugin could not do what it was asked. Plain data: it crosses the boundary as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PluginError {
    /// A parameter in `[challenge.params]` is unknown or its value is not allowed.
    #[error("parameter `{key}`: {found}; allowed: {allowed}")]
    Parameter {
        /// The parameter as it is written in the file.
        key: String,
        /// What was found, as a phrase: `0 is out of range`.
        found: String,
        /// What would be accepted.
        allowed: String,
    },
    /// A field of the challenge itself (dim, assets, blocks_ahead) does not fit the plugin.
    #[error("`{key}`: {found}; allowed: {allowed}")]
    Spec {
        /// The field of the challenge's table.
        key: String,
        /// What was found, as a phrase.
        found: String,
        /// What would be accepted.
        allowed: String,
    },
    /// A miner's submission cannot be used.
    #[error("{message}")]
    Submission {
        /// A sentence for the miner: what, where, what to do.
        message: String,
    },
    /// Market or history cannot be scored.
    #[error("{message}")]
    Data {
        /// What is wrong with it.
        message: String,
    },
    /// The host refused or failed a request of the plugin.
    #[error("the host could not serve the plugin: {message}")]
    Host {
        /// What the host said.
        message: String,
    },
    /// The plugin panicked.
    #[error("the plugin panicked: {message}")]
    Panic {
        /// The panic's message and place.
        message: String,
    },
}

impl PluginError {
    /// A [`PluginError::Data`].
    pub fn data(message: impl Into<String>) -> Self {
        Self::Data { message: message.into() }
    }

    /// A [`PluginError::Submission`].
    pub fn submission(message: impl Into<String>) -> Self {
        Self::Submission { message: message.into() }
    }

    /// A [`PluginError::Host`].
    pub fn host(message: impl Into<String>) -> Self {
        Self::Host { message: message.into() }
    }

    /// A [`PluginError::Spec`].
    pub fn spec(key: &str, found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self::Spec { key: key.into(), found: found.into(), allowed: allowed.into() }
    }
}
