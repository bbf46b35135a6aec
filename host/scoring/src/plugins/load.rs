//! Loading a plugin's file, in either form.

use super::locate::{digest, digest_of};
use super::{LoadError, NativePlugin, Plugin, WasmPlugin};
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

/// Loads a plugin, if its file is the pinned one.
///
/// The digest of a component is that of the very bytes that are run, even if the file changes meanwhile.
///
/// # Errors
/// [`LoadError`].
pub fn load(source: &Source) -> Result<Loaded, LoadError> {
    let Source { path, runtime, memory_mib, .. } = source;
    match runtime {
        Runtime::Native => {
            let sha256 = pinned(source, digest(path)?)?;
            Ok(Loaded { plugin: Box::new(NativePlugin::load(path)?), sha256 })
        }
        Runtime::Wasm => {
            let unreadable =
                |e: std::io::Error| LoadError::Unreadable { path: path.clone(), message: e.to_string() };
            let bytes = std::fs::read(path).map_err(unreadable)?;
            let sha256 = pinned(source, digest_of(&bytes))?;
            Ok(Loaded { plugin: Box::new(WasmPlugin::load(path, &bytes, *memory_mib)?), sha256 })
        }
    }
}

fn pinned(source: &Source, found: String) -> Result<String, LoadError> {
    match &source.sha256 {
        Some(pinned) if !found.eq_ignore_ascii_case(pinned) => {
            Err(LoadError::Digest { path: source.path.clone(), found, pinned: pinned.clone() })
        }
        _ => Ok(found),
    }
}
