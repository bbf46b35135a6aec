//! What compiles for WebAssembly here.

use crate::{BuildError, TARGET};
use std::env;
use std::path::Path;
use std::process::Command;

/// Debian's compiler, which has the target's parts as packages.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";

/// What compiles for WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler that cargo takes anyway, with rustup's target.
    Rustup,
    /// Debian's packages, with the standard library built from source.
    Debian,
}

impl Toolchain {
    /// Finds a toolchain.
    ///
    /// # Errors
    /// [`BuildError::NoToolchain`], which says how to get one.
    pub fn find() -> Result<Self, BuildError> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let printed = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
        let libdir = printed.ok().filter(|output| output.status.success());
        let libdir = libdir.and_then(|output| String::from_utf8(output.stdout).ok());
        if libdir.is_some_and(|dir| Path::new(dir.trim()).is_dir()) {
            return Ok(Self::Rustup);
        }
        if [DEBIAN_RUSTC, DEBIAN_LINKER, DEBIAN_STD].iter().all(|path| Path::new(path).exists()) {
            return Ok(Self::Debian);
        }
        Err(BuildError::NoToolchain)
    }

    /// Whether it builds the standard library too, once per folder.
    #[must_use]
    pub fn builds_std(self) -> bool {
        self == Self::Debian
    }

    /// Tells cargo to use it.
    pub(crate) fn apply(self, cargo: &mut Command) {
        cargo.args(["--target", TARGET]);
        if self == Self::Debian {
            cargo
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                .arg("-Zbuild-std=std,panic_abort");
        }
    }
}
