//! Challenge plugins: finding them, loading them, calling them.
//!
//! Plugins run in worker processes ([`crate::worker`]) only, so that a crash or a hang is an error on one challenge.

mod image;
mod load;
mod locate;
mod native;
mod results;
mod surface;
#[cfg(feature = "wasm")]
mod wasm;
#[cfg(not(feature = "wasm"))]
#[path = "no_wasm.rs"]
mod wasm;

pub use image::Image;
pub use load::{Loaded, Source};
pub use locate::{LocateError, Located, digest, digest_of, locate};
pub use native::NativePlugin;
pub(crate) use results::Broken;
pub use surface::Surface;
pub use wasm::surface;
pub(crate) use wasm::{code_folder, forget_code, load_component, private_code_folder};

use mantis_plugin_api::{
    Description, Forecast, History, Market, Outlook, ParamMap, PluginError, Progress, Salience, Spec, States,
    Storage, TrackedRow,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::rc::Rc;
use thiserror::Error;

/// What can be called on a loaded plugin, native or WebAssembly.
pub trait Plugin {
    /// What the plugin knows of the contract beside its first version: [`mantis_plugin_api::abi::MINOR`] at the most.
    fn minor(&self) -> u32;

    /// The plugin's own words about itself.
    ///
    /// # Errors
    /// What the plugin says, or that it broke its contract.
    fn describe(&self) -> Result<Description, PluginError>;

    /// Makes a configured challenge.
    ///
    /// # Errors
    /// As [`mantis_plugin_api::Challenge::configure`].
    fn configure(&self, spec: &Spec, params: &ParamMap) -> Result<Box<dyn Instance>, PluginError>;
}

/// Refuses a challenge that a plugin could not be told all of: one that was built before the contract had it.
///
/// # Errors
/// [`PluginError::Spec`] with the key that the plugin does not know.
pub(crate) fn check_features(plugin: &dyn Plugin, spec: &Spec) -> Result<(), PluginError> {
    let minor = plugin.minor();
    let wanted = [
        ("storage", spec.storage != Storage::F16, "\"f16\""),
        ("channels", !spec.channels.is_empty(), "none"),
        ("facts", !spec.facts.is_empty(), "none"),
    ];
    match wanted.into_iter().find(|(_, is_wanted, _)| *is_wanted) {
        Some((key, _, allowed)) if minor < SINCE => {
            let found = format!("the plugin was built for contract 1.{minor}, and does not know this key");
            Err(PluginError::spec(key, found, format!("{allowed}, or a plugin built for contract 1.{SINCE}")))
        }
        _ => Ok(()),
    }
}

/// The minor version of the contract that brought single precision, channels and facts.
const SINCE: u32 = 1;

/// A configured challenge.
pub trait Instance {
    /// As [`mantis_plugin_api::Challenge::decode`]; the vector has [`Spec::storage_dim`] finite numbers.
    ///
    /// # Errors
    /// What the plugin says, or that it broke its contract.
    fn decode(&mut self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError>;

    /// Labels and scores. The saliences are as many as miners, finite and not negative. With them comes the fitted ensemble,
    /// where the [`Spec::fit`] asks for it and there is one. What is shared is held by the plugin's side no longer than the
    /// call lasts.
    ///
    /// # Errors
    /// What the plugin says, or that it broke its contract.
    fn score(
        &mut self,
        market: &Rc<Market>,
        history: &Rc<dyn History>,
        run: &Rc<dyn Progress>,
    ) -> Result<Scored, PluginError>;

    /// As [`mantis_plugin_api::Challenge::track`].
    ///
    /// # Errors
    /// What the plugin says, or that it broke its contract.
    fn track(&mut self, states: &States, rows: &[TrackedRow]) -> Result<States, PluginError>;

    /// As [`mantis_plugin_api::Signal::outlook`]; `None` for a challenge that does not forecast.
    ///
    /// # Errors
    /// What the plugin says, or that it broke its contract.
    fn outlook(&mut self) -> Result<Option<Outlook>, PluginError>;

    /// As [`mantis_plugin_api::Signal::forecast`]; the numbers are finite.
    ///
    /// # Errors
    /// What the plugin says, that it broke its contract, or that it does not forecast.
    fn forecast(&mut self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError>;
}

/// Saliences, and the fitted ensemble, where one was asked for and there is one.
pub type Scored = (Salience, Option<Vec<u8>>);

/// Why a file could not be loaded as a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadError {
    /// The system's loader refused the file.
    #[error("{}: cannot be loaded as a plugin: {message}; is it a complete file, made for this machine?", path.display())]
    Unloadable {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        message: String,
    },
    /// A component, in a program that was built without the sandbox for them.
    #[error(
        "{}: this program was built without WebAssembly; build it with `cargo build --release --workspace`, or set \
         `runtime = \"native\"` for shared libraries",
        path.display()
    )]
    NoSandbox {
        /// The file.
        path: PathBuf,
    },
    /// A component that asks for more than plugins are given.
    #[error(
        "{}: it imports `{import}`, which plugins are not given: they have no files, clock, network or environment; \
         remove what needs it, or build without WASI", path.display()
    )]
    Import {
        /// The file.
        path: PathBuf,
        /// The import's full name.
        import: String,
    },
    /// A library or a component, but no plugin.
    #[error("{}: not a Mantis plugin: {message}; does its crate call `mantis_plugin_api::export!`?", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A plugin for another host.
    #[error(
        "{}: plugin built for {built_for}; this program supports {supported}; build the plugin again with this \
         program's `mantis-plugin-api` and compiler",
        path.display()
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// ABI, compiler and target of the plugin.
        built_for: String,
        /// Those of this program.
        supported: String,
    },
    /// The file is not the one that the configuration pins.
    #[error(
        "{}: its sha256 is {found}, but the configuration pins {pinned}; restore the pinned file, or change the pin \
         if you trust the new one",
        path.display()
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: String,
        /// The pin.
        pinned: String,
    },
    /// The file cannot be read.
    #[error("{}: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
}
