//! Why there is no configuration to run.

use mantis_config::ConfigError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no configuration to run.
#[derive(Debug, Error)]
pub enum HotReloadError {
    /// The file is faulty, or a plugin does not take its challenge.
    #[error(transparent)]
    Faults(#[from] ConfigError),
    /// A file could not be copied.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody writes to the files all the time.
    #[error("{}: it, or one of its plugins, is being written to; try again", file.display())]
    Changing {
        /// The configuration.
        file: PathBuf,
    },
}
