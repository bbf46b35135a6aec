//! Following the configuration's files.

use super::{Refreshed, Service, ServiceError, SetupError};
use mantis_config::Config;
use std::sync::Arc;
use tracing::{error, info};

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

    fn take(&mut self, config: &Arc<Config>) -> Result<(), ServiceError> {
        // First what may be refused: the rows that are stored must mean the same.
        self.ledger.check_layout(config)?;
        self.pipeline.set_config(config.clone())?;
        self.facts.set_config(config).map_err(SetupError::from)?;
        Ok(self.ledger.keep_layout(config)?)
    }
}
