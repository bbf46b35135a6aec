//! How components are compiled.

use super::super::LoadError;
use std::path::Path;
use wasmtime::{Cache, CacheConfig, Config, Engine, OptLevel};

/// Bytes of stack for compiled code: as much as a Rust program has for its own data beside it.
const MAX_STACK: usize = 1 << 20;

/// An engine whose results are the same bits on every machine, with machine code kept in a folder where one is given.
///
/// # Errors
/// [`LoadError::Unloadable`] where this machine cannot run WebAssembly.
pub(super) fn engine(path: &Path, code: Option<&Path>) -> Result<Engine, LoadError> {
    let unloadable =
        |e: wasmtime::Error| LoadError::Unloadable { path: path.to_path_buf(), message: format!("{e:#}") };
    let mut config = deterministic();
    if let Some(dir) = code {
        let mut cache = CacheConfig::new();
        cache.with_directory(dir);
        // What was compiled stays as it is: packed better later on, it would not be what its digest says.
        cache.with_optimized_compression_usage_counter_threshold(u64::MAX);
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
