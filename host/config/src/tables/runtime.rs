//! How plugins run.

use crate::kinds::Words;
use mantis_plugin_api::Solver;
use serde::{Deserialize, Serialize};

/// The form in which a plugin runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// A shared library.
    #[default]
    Native,
    /// A WebAssembly component.
    Wasm,
}

/// The words for a plugin's form.
pub(super) const RUNTIME: Words<Runtime> =
    Words(&[(Runtime::Native.as_str(), Runtime::Native), (Runtime::Wasm.as_str(), Runtime::Wasm)]);

/// The words for where model fits stop.
pub(super) const SOLVER: Words<Solver> = Words(&[("exact", Solver::Exact), ("network", Solver::Network)]);

impl Runtime {
    /// The word for it in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
        }
    }
}
