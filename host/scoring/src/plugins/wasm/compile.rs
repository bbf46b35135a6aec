//! From the bytes of a component to machine code.

use super::super::LoadError;
use super::code_cache::CodeCache;
use super::engine::engine;
use std::path::Path;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiles the bytes of a component, or takes the kept machine code; `path` is for messages.
///
/// # Errors
/// [`LoadError::Unloadable`] where the bytes are no valid component.
pub(super) fn compile(path: &Path, bytes: &[u8], sha256: &str) -> Result<(Engine, Component), LoadError> {
    let cache = CodeCache::take(sha256);
    let engine = engine(path, cache.as_ref().map(CodeCache::folder))?;
    let component = Component::from_binary(&engine, bytes).map_err(|e| LoadError::Unloadable {
        path: path.to_path_buf(),
        message: format!("{e:#}").replace('\n', " "),
    })?;
    if let Some(cache) = cache {
        cache.keep();
    }
    Ok((engine, component))
}
