//! How much memory a component may hold, in its memories and its tables.

use thiserror::Error;
use wasmtime::ResourceLimiter;

/// Elements of a function table: an author's program has thousands at most.
const MAX_TABLE: usize = 1 << 20;
/// Bytes that an element of a table takes in the host.
const ELEMENT: usize = 16;
/// Core instances in one component: one made from Rust has three, one made from Python about sixty.
const MAX_INSTANCES: usize = 256;

/// Counts the memories and tables of one store together.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    held: usize,
    max: usize,
}

/// A component asked for more memory than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{asked_mib} MiB of memory; `wasm_memory_mib` allows {max_mib}")]
pub(super) struct MemoryLimitError {
    asked_mib: usize,
    max_mib: usize,
}

impl MemoryLimit {
    pub(super) fn new(max_mib: u32) -> Self {
        Self { held: 0, max: (max_mib as usize) << 20 }
    }

    /// Grants bytes for one memory or table that has `current` of them.
    fn grow(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let asked = self.held.saturating_sub(current).saturating_add(desired);
        if asked > self.max {
            // An error ends the call at once and is told; `false` would only make the plugin trap without a reason.
            let too_much = MemoryLimitError { asked_mib: asked.div_ceil(1 << 20), max_mib: self.max >> 20 };
            return Err(wasmtime::Error::new(too_much));
        }
        self.held = asked;
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(current, desired)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE {
            return Ok(false);
        }
        self.grow(current.saturating_mul(ELEMENT), desired.saturating_mul(ELEMENT))
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_INSTANCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_count_as_memory() {
        let mut limits = MemoryLimit::new(20);
        assert!(limits.table_growing(0, MAX_TABLE, None).unwrap());
        assert!(limits.memory_growing(0, 4 << 20, None).unwrap());
        let error = limits.table_growing(0, MAX_TABLE, None).unwrap_err();
        assert_eq!(error.to_string(), "36 MiB of memory; `wasm_memory_mib` allows 20");
        assert!(!limits.table_growing(0, MAX_TABLE + 1, None).unwrap());
    }

    #[test]
    fn memories_count_together() {
        let mut limits = MemoryLimit::new(3);
        assert!(limits.memory_growing(0, 1 << 20, None).unwrap());
        assert!(limits.memory_growing(0, 2 << 20, None).unwrap());
        let error = limits.memory_growing(1 << 20, 2 << 20, None).unwrap_err();
        assert_eq!(error.to_string(), "4 MiB of memory; `wasm_memory_mib` allows 3");
    }
}
