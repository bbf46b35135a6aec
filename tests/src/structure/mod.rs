//! How the workspace is built: what may use what. `tests/tests/outside/structure.rs` holds the workspace to it.

mod crates;
mod files;
mod modules;
mod source;

pub use crates::{Package, faults, packages};
pub use files::{long_files, sources};
pub use modules::circles;
