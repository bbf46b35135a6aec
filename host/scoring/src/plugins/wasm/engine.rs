//! How components are compiled, and where the machine code is kept.

use super::super::LoadError;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::{env, fs, io};
use wasmtime::{Cache, CacheConfig, Config, Engine, OptLevel};

/// Bytes of stack for compiled code: as much as a Rust program has for its own data beside it.
const MAX_STACK: usize = 1 << 20;

/// An engine whose results are the same bits on every machine, with machine code kept on disk where there is a safe
/// place for it.
///
/// # Errors
/// [`LoadError::Unloadable`] where this machine cannot run WebAssembly.
pub(super) fn engine(path: &Path) -> Result<Engine, LoadError> {
    let unloadable =
        |e: wasmtime::Error| LoadError::Unloadable { path: path.to_path_buf(), message: format!("{e:#}") };
    let mut config = deterministic();
    if let Some(dir) = cache_dir().filter(|dir| private(dir)) {
        let mut cache = CacheConfig::new();
        cache.with_directory(dir);
        // A broken cache costs time only.
        config.cache(Cache::new(cache).ok());
    }
    Engine::new(&config).map_err(unloadable)
}

/// Floating point follows IEEE 754 to the bit in WebAssembly, but for two things: relaxed SIMD, which is off, and the
/// bits of NaNs, which no finite result can depend on (the host refuses the others). Canonical NaNs would cost a
/// factor of two and more. The compiler never fuses a multiplication with an addition by itself.
fn deterministic() -> Config {
    let mut config = Config::new();
    config
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(false)
        .cranelift_opt_level(OptLevel::Speed)
        // The worker's deadline bounds time; checks in the code would cost up to a half of it.
        .consume_fuel(false)
        .epoch_interruption(false)
        .max_wasm_stack(MAX_STACK);
    config
}

/// `$XDG_CACHE_HOME/mantis/wasm`, or `~/.cache/mantis/wasm`.
fn cache_dir() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("mantis").join("wasm"))
}

/// Whether the folder is there, ours, and closed to everybody else: what lies in it is run as machine code. Makes it
/// where it is missing.
fn private(dir: &Path) -> bool {
    let made = dir.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        match fs::DirBuilder::new().mode(0o700).create(dir) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    });
    let ours = rustix::process::geteuid().as_raw();
    // Not through a link: it could be another's to turn.
    made.is_ok()
        && fs::symlink_metadata(dir)
            .is_ok_and(|found| found.is_dir() && found.uid() == ours && found.mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_a_folder_closed_to_others_keeps_machine_code() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        assert!(private(&dir) && private(&dir));
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);

        symlink(&dir, root.path().join("link")).unwrap();
        assert!(!private(&root.path().join("link")));

        fs::set_permissions(&dir, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(!private(&dir));

        fs::write(root.path().join("file"), "").unwrap();
        assert!(!private(&root.path().join("file")) && !private(&root.path().join("file/below")));
    }
}
