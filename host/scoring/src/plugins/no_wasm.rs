//! In the place of the sandboxed loader where the program is built without it: every component is refused.

use super::{LoadError, Plugin, Surface};
use std::path::{Path, PathBuf};

/// Refuses a component.
pub(crate) fn load_component(
    path: &Path,
    _bytes: &[u8],
    _sha256: &str,
    _memory_mib: u32,
) -> Result<Box<dyn Plugin>, LoadError> {
    Err(LoadError::NoSandbox { path: path.to_owned() })
}

/// Refuses to read the boundary of a component.
///
/// # Errors
/// Always [`LoadError::NoSandbox`].
pub fn surface(path: &Path, _bytes: &[u8]) -> Result<Surface, LoadError> {
    Err(LoadError::NoSandbox { path: path.to_owned() })
}

/// The folder of compiled components: none is compiled.
pub(crate) fn code_folder() -> Option<PathBuf> {
    None
}

/// As [`code_folder`].
pub(crate) fn private_code_folder() -> Option<PathBuf> {
    None
}

/// Forgets nothing: no machine code is kept.
pub(crate) fn forget_code(_plugin: &Path) {}
