//! Why a release was not made, compared or published.

use mantis_config::{ConfigError, PinError};
use mantis_network::bucket::BucketError;
use mantis_release::ReleaseRejection;
use mantis_scoring::plugins::LocateError;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a release was not made, compared or published.
#[derive(Debug, Error)]
pub enum ReleaseError {
    /// What was made, or given, would be refused.
    #[error("{}{rejection}", path.as_ref().map_or(String::new(), |path| format!("{}: ", path.display())))]
    Rejected {
        /// The release's folder, if there is one.
        path: Option<PathBuf>,
        /// Why.
        rejection: Box<ReleaseRejection>,
    },
    /// The configuration is faulty.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration is not TOML.
    #[error("{path}: {source}")]
    Toml {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: toml::de::Error,
    },
    /// A plugin cannot be pinned.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// There is no component of a plugin.
    #[error(
        "a release carries its plugins as components: {0}; `mantis plugin build`, or `cargo xtask plugins`, makes them"
    )]
    Plugin(#[from] LocateError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder is there.
    #[error("{path} is there already: name another folder with --out")]
    There {
        /// It.
        path: PathBuf,
    },
    /// It does not belong at the end of what is published.
    #[error("{0}")]
    Order(String),
    /// The bucket does not take it.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl From<ReleaseRejection> for ReleaseError {
    fn from(rejection: ReleaseRejection) -> Self {
        Self::Rejected { path: None, rejection: Box::new(rejection) }
    }
}

impl ReleaseError {
    pub(super) fn of(path: &Path) -> impl FnOnce(ReleaseRejection) -> Self {
        let path = Some(path.to_path_buf());
        |rejection| Self::Rejected { path, rejection: Box::new(rejection) }
    }

    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::File { path, source }
    }
}
