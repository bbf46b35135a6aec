//! How much memory a plugin may hold.

use super::{Config, Runtime};

impl Config {
    /// Memory that a plugin may hold in a form, MiB.
    #[must_use]
    pub fn memory_mib(&self, runtime: Runtime) -> u32 {
        match runtime {
            Runtime::Native => self.native_memory_mib,
            Runtime::Wasm => self.wasm_memory_mib,
        }
    }
}
