//! Why a plugin was not built.

use crate::TARGET;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a plugin was not built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A folder that holds no plugin's source.
    #[error(
        "{}: neither a crate (Cargo.toml) nor a Python plugin (app.py); `mantis plugin new NAME` makes a crate",
        dir.display()
    )]
    NoProject {
        /// The folder.
        dir: PathBuf,
    },
    /// A crate, but none that becomes a plugin.
    #[error(
        "{}: no package here is a plugin: add `crate-type = [\"cdylib\", \"rlib\"]` under [lib] in its Cargo.toml, \
         and call `mantis_plugin_api::export!`",
        dir.display()
    )]
    NoPlugin {
        /// The folder.
        dir: PathBuf,
    },
    /// Nothing that compiles for WebAssembly.
    #[error(
        "no compiler for {TARGET} here: `rustup target add {TARGET}`, or on Debian `apt-get install rustc-web \
         rust-web-src lld`; `--form native` builds the shared library alone"
    )]
    NoToolchain,
    /// Nothing that makes components of Python.
    #[error(
        "cannot run {}: {source}; `pip install componentize-py==0.25.1` into a virtual environment, and put its \
         `bin` into PATH, or name the program in MANTIS_COMPONENTIZE_PY",
        program.display()
    )]
    NoComponentize {
        /// What was tried.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A program failed, and said why itself.
    #[error("{program} failed: {how}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status, and the end of what it said where that was not shown.
        how: String,
    },
    /// What cargo says is not what was expected of it.
    #[error("cargo metadata: {message}")]
    Metadata {
        /// What is wrong.
        message: String,
    },
    /// A module that cannot be made a component.
    #[error("{}: no component can be made of it: {message}; does the crate call `mantis_plugin_api::export!`?", path.display())]
    Component {
        /// The module.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file or a program cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or the program.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl BuildError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
