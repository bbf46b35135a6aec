//! The sandboxed loader: WebAssembly components of the world `plugin-api/wit/v1/challenge.wit`.
//!
//! A component reaches nothing but the host's functions in [`imports`]: a file that asks for more is refused. Its
//! memory is bounded ([`limits`]), its stack too, its results are checked, and its time is the worker's deadline.
//! Nothing in [`engine`] lets a result depend on the machine that it runs on.

mod call;
mod code_cache;
mod compile;
mod engine;
mod imports;
mod limits;
mod plugin;
mod surface;

pub(crate) use code_cache::{code_folder, forget_code, private_code_folder};
pub use surface::surface;

use super::{LoadError, Plugin};
use plugin::WasmPlugin;
use std::path::Path;

/// Compiles the bytes of a component (or takes the kept machine code), and checks that it asks for nothing but what plugins
/// are given, and has all that a plugin has. `path` is for messages, `sha256` the digest of the bytes. An instance may hold
/// `memory_mib` of memory.
pub(crate) fn load_component(
    path: &Path,
    bytes: &[u8],
    sha256: &str,
    memory_mib: u32,
) -> Result<Box<dyn Plugin>, LoadError> {
    Ok(Box::new(WasmPlugin::load(path, bytes, sha256, memory_mib)?))
}
