//! What an offline chain consists of, and its file.

use super::{ChainError, Head, Neuron};
use mantis_config::Block;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// Weights that a hotkey has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsSet {
    /// The block in which they were set.
    pub block: Block,
    /// Who set them.
    pub hotkey: String,
    /// Weights by UID.
    pub weights: BTreeMap<u16, u16>,
}

/// The state: the file is its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct State {
    /// `None`: it is not set, it follows the time.
    pub(super) head: Option<Head>,
    /// Blocks between two settings of weights.
    pub(super) weights_rate_limit: u64,
    /// Who owns the subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    pub(super) neurons: Vec<Neuron>,
    /// Text by hotkey.
    pub(super) commitments: BTreeMap<String, String>,
    /// Oldest first.
    pub(super) weights: Vec<WeightsSet>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            head: None,
            weights_rate_limit: 100,
            owner: None,
            neurons: Vec::new(),
            commitments: BTreeMap::new(),
            weights: Vec::new(),
        }
    }
}

impl State {
    /// Reads the file.
    pub(super) fn load(path: &Path, doing: &'static str) -> Result<Self, ChainError> {
        let read = || Ok(serde_json::from_slice(&std::fs::read(path)?)?);
        read().map_err(|error: std::io::Error| unreachable(path, doing, &error))
    }

    /// Replaces the file as a whole: a reader sees the old one or the new one.
    pub(super) fn save(&self, path: &Path, doing: &'static str) -> Result<(), ChainError> {
        let write = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| unreachable(path, doing, &error))
    }
}

fn unreachable(path: &Path, doing: &'static str, error: &std::io::Error) -> ChainError {
    ChainError::Unreachable { endpoint: path.display().to_string(), doing, reason: error.to_string() }
}
