//! What a plugin is loaded from, and what it is then.

use super::Plugin;
use mantis_config::Runtime;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A plugin's file, and how to load it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What it runs in.
    pub runtime: Runtime,
    /// The digest that the file must have: sha256 in hexadecimal.
    pub sha256: Option<String>,
    /// MiB of memory that an instance may hold; WebAssembly only.
    pub memory_mib: u32,
}

impl Source {
    /// Whether both give the same plugin: pinned to the same content, or else not pinned, and the same path.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.runtime, self.memory_mib, &self.sha256) == (other.runtime, other.memory_mib, &other.sha256)
            && (self.sha256.is_some() || self.path == other.path)
    }
}

/// A loaded plugin.
pub struct Loaded {
    /// The plugin.
    pub plugin: Box<dyn Plugin>,
    /// The file's sha256, in lower-case hexadecimal.
    pub sha256: String,
}
