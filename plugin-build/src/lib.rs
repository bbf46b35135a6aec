//! Builds challenge plugins: as shared libraries, and as WebAssembly components.
//!
//! `mantis plugin build` and `cargo xtask plugins` are this crate: what an author builds is built as the project
//! builds its own. A crate in Rust is built by cargo ([`Crates`]), a folder with an `app.py` by componentize-py
//! ([`python`]).

mod crates;
mod error;
mod place;
pub mod python;
mod toolchain;
mod wasm;

pub use crates::{Crates, Package};
pub use error::BuildError;
pub use toolchain::Toolchain;

use std::path::{Path, PathBuf};

/// The contract that components are made for: `plugin-api/wit/v1/challenge.wit`.
pub const WIT: &str = include_str!("../../plugin-api/wit/v1/challenge.wit");

/// What components are compiled for.
const TARGET: &str = "wasm32-unknown-unknown";

/// What a plugin is written in.
#[derive(Clone, Debug)]
pub enum Project {
    /// Crates that cargo builds, in both forms.
    Rust(Crates),
    /// A folder with an `app.py`, which becomes a component.
    Python(PathBuf),
}

impl Project {
    /// What lies in a folder.
    ///
    /// # Errors
    /// [`BuildError::NoProject`] if it is neither; as [`Crates::find_in`] if cargo cannot read the crate.
    pub fn open(dir: &Path) -> Result<Self, BuildError> {
        if dir.join("Cargo.toml").is_file() {
            return Ok(Self::Rust(Crates::find_in(dir)?));
        }
        if dir.join(python::APP).is_file() {
            return Ok(Self::Python(dir.to_path_buf()));
        }
        Err(BuildError::NoProject { dir: dir.to_path_buf() })
    }
}
