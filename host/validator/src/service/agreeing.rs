//! Looking how our weights stand with those of other validators.

use super::Service;
use crate::agreement::{Agreement, agreement};
use crate::clock::unix;
use mantis_config::Block;
use mantis_ledger::AgreementRecord;
use tokio::task::block_in_place;
use tracing::{error, info, warn};

/// Blocks between two looks: an epoch of the public chain's.
const EVERY: i64 = 360;

impl Service {
    /// Asks the chain for all validators' weights, beside whatever else is done.
    pub(super) fn start_agreeing(&mut self, head: Block) {
        let is_due = self.agreed.is_none_or(|last| head - last >= EVERY);
        if self.agreeing.is_some() || self.computation.is_none() || !is_due {
            return;
        }
        self.agreed = Some(head);
        let chain = self.chain.clone();
        self.agreeing = Some(tokio::spawn(async move { chain.epoch_state().await }));
    }

    /// Keeps how our newest weights stand with them. Nothing depends on it: where it is not known, the last one stays.
    pub(super) async fn take_agreement(&mut self) {
        let Some(agreeing) = self.agreeing.take_if(|agreeing| agreeing.is_finished()) else { return };
        let state = match agreeing.await {
            Ok(Ok(state)) => state,
            Ok(Err(error)) => return warn!(%error, "how our weights stand with others' is not known"),
            Err(error) => return error!(%error, "looking how our weights stand with others' broke off"),
        };
        let own = self.own(&self.neurons).filter(|own| own.validator_permit).map(|own| own.hotkey.as_str());
        match block_in_place(|| agreement(&state, &self.ledger, &self.config.network, own)) {
            Ok(agreement) => self.keep_agreement(&agreement),
            // Such as: nobody has set weights yet.
            Err(error) => info!(%error, "how our weights stand with others' is not known"),
        }
    }

    fn keep_agreement(&mut self, agreement: &Agreement) {
        let newest = &agreement.newest;
        let (distance, validator_trust) = (newest.consensus_distance, newest.validator_trust);
        let document = match serde_json::to_string(agreement) {
            Ok(document) => document,
            Err(error) => return error!(%error, "how our weights stand with others' cannot be written"),
        };
        let record = AgreementRecord {
            block: Block(agreement.block),
            unix: unix(),
            distance,
            validator_trust,
            document,
        };
        match block_in_place(|| self.ledger.store_agreement(&record)) {
            Ok(()) => info!(block = agreement.block, validator_trust, distance, "weights compared"),
            Err(error) => error!(%error, "how our weights stand with others' is not recorded"),
        }
    }
}
