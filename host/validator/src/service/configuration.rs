//! Following the configuration's files, and going by the one that counts for a row.

use super::{Refreshed, Service, ServiceError, SetupError};
use crate::eras::Era;
use crate::hot_reload::changes;
use mantis_config::{Block, Config};
use std::sync::Arc;
use tracing::{debug, error, info};

impl Service {
    /// Once per sampled block: whether the configuration or a plugin is another.
    pub(super) fn look_at_files(&mut self) {
        if let Some(mut live) = self.live.take() {
            self.looking = Some(tokio::task::spawn_blocking(move || {
                let refreshed = live.refresh();
                (live, refreshed)
            }));
        }
    }

    /// Runs on with what the files say, where that is new and sound.
    pub(super) async fn take_configuration(&mut self) {
        let Some(looking) = self.looking.take_if(|looking| looking.is_finished()) else { return };
        let refreshed = match looking.await {
            Ok((live, refreshed)) => {
                self.live = Some(live);
                refreshed
            }
            Err(error) => return error!(%error, "the configuration is not followed any more: restart"),
        };
        let counts = self.counts();
        for (release, refreshed) in refreshed {
            let is_new = matches!(refreshed, Refreshed::Taken { .. });
            if release == counts {
                self.take_refreshed(refreshed);
            } else if is_new {
                debug!(release, "what does not count for the newest row is another");
            }
            if is_new && let Some(keeper) = &mut self.releases {
                keeper.try_again();
            }
        }
        self.set_eras();
    }

    /// What counts for the newest row was looked at.
    fn take_refreshed(&mut self, refreshed: Refreshed) {
        match refreshed {
            Refreshed::Unchanged => {}
            Refreshed::Kept { why } => {
                error!(%why, "the changed configuration is not taken; the old one runs on");
                self.board.write(|status| status.configuration.fault = Some(why));
            }
            Refreshed::Taken { config, changes } => match self.take(&config) {
                Ok(()) => {
                    let digest = config.digest();
                    info!(changes = changes.join("; "), digest, "the changed configuration is taken");
                    self.board.set_config(config.clone());
                    self.config = config;
                }
                Err(error) => {
                    error!(%error, "the changed configuration is not taken; the old one runs on");
                    self.board.write(|status| status.configuration.fault = Some(error.to_string()));
                }
            },
        }
    }

    /// The release that counts for the newest row; `None` where it is the file alone.
    pub(super) fn counts(&self) -> Option<u32> {
        self.followed.release
    }

    /// Takes over which configuration counts for which row.
    pub(super) fn set_eras(&mut self) {
        let Some(live) = &self.live else { return };
        self.eras = live.eras();
        self.pipeline.set_eras(self.eras.clone());
    }

    /// Goes by the configuration that counts for this row, whenever that is.
    pub(super) fn follow(&mut self, block: Block) {
        let Era { release, config, .. } = self.eras.at(block).clone();
        // The same release with other files was taken, or refused, as these were looked at.
        if release == self.followed.release {
            return;
        }
        match self.take(&config) {
            Ok(()) => {
                let changes = changes(&self.config, &config).join("; ");
                let digest = config.digest();
                info!(block = block.0, release, changes, digest, "another release counts from here on");
                self.board.set_config(config.clone());
                self.config = config;
                self.followed.release = release;
                self.followed.fault = None;
                self.show_releases(None);
            }
            Err(error) => {
                let why = error.to_string();
                if self.followed.fault.as_ref() != Some(&why) {
                    error!(block = block.0, release, %error, "the release that counts is not taken; the old one runs on");
                    self.board.write(|status| status.configuration.fault = Some(why.clone()));
                    self.followed.fault = Some(why);
                }
            }
        }
    }

    fn take(&mut self, config: &Arc<Config>) -> Result<(), ServiceError> {
        // First what may be refused: the rows that are stored must mean the same.
        self.ledger.check_layout(config)?;
        self.pipeline.set_config(config.clone())?;
        self.pipeline.set_eras(self.eras.clone());
        self.facts.set_config(config).map_err(SetupError::from)?;
        Ok(self.ledger.keep_layout(config)?)
    }
}

/// Which release is gone by.
#[derive(Debug, Default)]
pub(super) struct FollowedRelease {
    pub(super) release: Option<u32>,
    /// Why another one is not, as it was said last.
    pub(super) fault: Option<String>,
}
