//! Building the project's own plugins as WebAssembly components, as `mantis plugin build` builds others'.

use crate::shell::{root, target_dir};
use anyhow::Result;
use mantis_plugin_build::{BuildError, Crates, Toolchain};

/// Finds a toolchain.
///
/// # Errors
/// Where there is none, saying how to get one.
pub(crate) fn toolchain() -> Result<Toolchain, BuildError> {
    Toolchain::find()
}

/// Builds every plugin of the workspace as a component, beside the program.
pub(crate) fn build() -> Result<()> {
    let place = target_dir()?.join("release");
    let components = Crates::find_in(root())?.build_wasm(toolchain()?, &place)?;
    println!("{} components in {}", components.len(), place.display());
    Ok(())
}

/// The workspace's packages that are plugins.
pub(crate) fn plugins() -> Result<Vec<String>> {
    Ok(Crates::find_in(root())?.packages.into_iter().map(|package| package.name).collect())
}
