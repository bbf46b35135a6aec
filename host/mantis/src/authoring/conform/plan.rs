//! What the suite tries, and what it holds a plugin to.

use super::Recorded;
use mantis_config::Config;
use mantis_plugin_api::Solver;
use mantis_scoring::worker::Launcher;
use std::path::PathBuf;

/// What is tried, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The plugin's file.
    pub path: PathBuf,
    /// A configuration whose first challenge is the one that is tried.
    pub config: Config,
    /// Scored rows of the simulated ledger; `None`: more and more, until somebody is paid.
    pub rows: Option<usize>,
    /// Miners and market of a ledger, in place of simulated ones.
    pub recorded: Option<Recorded>,
    /// The same seed gives the same ledger.
    pub seed: u64,
    /// Where model fits stop.
    pub solver: Solver,
    /// What the plugin declares to hold.
    pub bars: Bars,
    /// Starts the workers.
    pub launcher: Launcher,
    /// Folder for temporary files.
    pub scratch: PathBuf,
}

/// Properties that a challenge may be meant not to have. What is declared must hold; what is not is noted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bars {
    /// Most that copies of a miner may earn together, over what it earns alone.
    pub clones: Option<f64>,
    /// Most that noise may earn, over what skill earns.
    pub noise: Option<f64>,
    /// Whether one answer for ever may be paid: where it is a bet.
    pub allow_constant: bool,
}
