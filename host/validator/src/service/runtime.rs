//! Following the chain's runtime, which is replaced now and then: whether it still has all that is asked of it.

use super::Service;
use mantis_config::Block;
use mantis_network::chain::Runtime;
use tracing::{error, info, warn};

impl Service {
    /// Looks which runtime the chain has, and says an upgrade.
    pub(super) async fn look_at_runtime(&mut self, head: Block) {
        let Runtime { spec_version, lacking } = match self.chain.runtime().await {
            Ok(Some(runtime)) => runtime,
            Ok(None) => return,
            Err(error) => return warn!(%error, "which runtime the chain has is not known"),
        };
        let before = self.board.status().chain.spec_version.replace(spec_version);
        if before != Some(spec_version) {
            match before {
                Some(before) => {
                    info!(block = head.0, before, spec_version, "the chain's runtime was upgraded")
                }
                None => info!(spec_version, "the chain's runtime"),
            }
            for what in &lacking {
                error!(
                    spec_version,
                    what,
                    "the chain's runtime is not what this program expects: look for a newer version of it"
                );
            }
        }
        self.board.write(|status| {
            status.chain.spec_version = Some(spec_version);
            status.chain.lacking = lacking;
        });
    }
}
