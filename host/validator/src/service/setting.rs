//! Setting weights, and looking whether the chain shows them.

use super::Service;
use crate::{schedule, setter, twin};
use mantis_config::Block;
use mantis_ledger::{Attempt, Sent};
use mantis_network::chain::{ChainError, Hyperparameters, Neuron};
use mantis_weights::Limited;
use tokio::task::block_in_place;
use tracing::{error, info, warn};

/// Attempts among which a commit that is shown is looked for: the chain takes fewer that are not shown.
const COMMITTED: u32 = 16;
/// Blocks between two looks for it, which come with the metagraph.
const METAGRAPH_BLOCKS: i64 = 101;

impl Service {
    /// Whether the chain shows by now what was committed: being in a block is not yet being counted.
    pub(super) async fn look_for_committed(&mut self, head: Block) {
        let attempts = match self.ledger.attempts(COMMITTED) {
            Ok(attempts) => attempts,
            Err(error) => return error!(%error, "whether committed weights are shown is not known"),
        };
        let committed: Vec<Attempt> = attempts.into_iter().filter(|a| a.sent == Sent::Committed).collect();
        let own = self.own(&self.neurons);
        let (Some(oldest), Some(own)) = (committed.last(), own) else { return };
        let (shown, rules) =
            match tokio::try_join!(self.chain.weights_of(own.uid), self.chain.hyperparameters()) {
                Ok(read) => read,
                Err(error) => return warn!(%error, "whether committed weights are shown is not known"),
            };
        if let Some(attempt) = committed.iter().find(|attempt| setter::is_shown(&attempt.weights, &shown)) {
            if let Err(error) = self.ledger.store_shown(attempt.block) {
                return error!(%error, "that committed weights are shown is not recorded");
            }
            info!(
                block = attempt.block.0,
                computed = attempt.computed.0,
                "the chain shows the committed weights"
            );
            if self.attempt.as_ref().is_some_and(|last| last.block == attempt.block) {
                self.attempt.iter_mut().for_each(|last| last.sent = Sent::Set);
            }
            return;
        }
        let epochs = rules.reveal_period.saturating_add(2);
        let patience = epochs.saturating_mul(u64::from(rules.tempo)).min(1 << 40).cast_signed();
        // Said about one commit while it is the newest that should be there.
        if (patience..patience + METAGRAPH_BLOCKS).contains(&(head - oldest.block)) {
            warn!(
                block = oldest.block.0,
                "weights committed then are not shown yet: does the hotkey still have its permit, and is \
                 [network] version_key that of the subnet?"
            );
        }
    }

    pub(super) async fn start_setting(&mut self, head: Block) {
        let Some(computation) = self.computation.clone() else { return };
        let network = self.config.network.clone();
        if self.setting.is_some() || !self.is_setting_due(head) {
            return;
        }
        // Who holds which UID must be known as it is now.
        match self.chain.metagraph().await {
            Ok(neurons) => {
                if !self.takes_metagraph(neurons, head) {
                    return;
                }
            }
            Err(error) => return self.doubt_metagraph(error.to_string(), false),
        }
        if !self.is_setting_due(head) {
            return;
        }
        let own = self.own(&self.neurons).cloned();
        let rules = self.chain.hyperparameters().await;
        if let Ok(rules) = &rules
            && self.stands_by(rules, own.as_ref(), head)
        {
            return;
        }
        let limited = match rules {
            Ok(rules) => {
                let limits = setter::limits(&rules, own.map(|own| own.uid));
                setter::registered_weights(&computation, &self.neurons, &network, &limits)
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(format!("what the subnet demands of weights is not known: {error}")),
        };
        let (Limited { weights, clipped }, why) = match limited {
            Ok(limited) => (limited, None),
            Err(why) => (Limited::default(), Some(why)),
        };
        if clipped {
            warn!("the subnet limits the largest weight (MaxWeightsLimit): what is above goes to the others");
        }
        let intention = setter::intention(&computation, &weights, &self.neurons, head);
        let why = match why {
            None => self.other_host(head).await,
            known => known,
        };
        if let Some(why) = why {
            let refused = Attempt { sent: Sent::Failed, error: Some(why.clone()), ..intention };
            if let Err(error) = block_in_place(|| self.ledger.store_attempt(&refused)) {
                error!(%error, "that no weights are set is not recorded");
            }
            error!(block = head.0, why, "weights not set");
            self.attempt = Some(refused);
            return;
        }
        // Before it is sent: one who is killed meanwhile must not send it twice.
        let id = match block_in_place(|| self.ledger.store_attempt(&intention)) {
            Ok(id) => id,
            Err(error) => {
                error!(%error, "weights are not set: that they are sent cannot be recorded");
                let why = Some(format!("that they are sent cannot be recorded: {error}"));
                self.attempt = Some(Attempt { sent: Sent::Failed, error: why, ..intention });
                return;
            }
        };
        let (chain, dry_run) = (self.chain.clone(), self.run.dry_run);
        self.setting = Some(tokio::spawn(async move {
            let chain = (!dry_run).then_some(chain.as_ref());
            (id, setter::send(chain, intention).await)
        }));
    }

    /// Whether nothing is to be set since the subnet's chain takes the weights of one validator alone, and that is another: what
    /// is computed is as good as its weights, and it may come to our turn.
    fn stands_by(&mut self, rules: &Hyperparameters, own: Option<&Neuron>, head: Block) -> bool {
        let is_other = rules.one_decides && own.is_some_and(|own| !own.validator_permit);
        let stands_by = is_other && !self.run.dry_run;
        if stands_by && self.stood_by.is_none() {
            info!(
                block = head.0,
                "the subnet takes the weights of the validator with the most stake alone (Null consensus), which is another: all is \
                 computed, nothing is set"
            );
        }
        if !stands_by && self.stood_by.is_some() {
            info!(block = head.0, "the subnet takes our weights now");
        }
        self.stood_by = stands_by.then_some(head);
        self.board.write(|status| status.weights.stands_by = stands_by);
        stands_by
    }

    /// Why nothing is to be set: another host sets weights with our hotkey, or whether one does is not known.
    async fn other_host(&self, head: Block) -> Option<String> {
        let own = self.own(&self.neurons)?;
        let (updated, silence) = (own.last_update, self.run.take_over.silence(&self.config.network));
        if self.run.dry_run || updated == Block(0) || head - updated >= silence {
            return None;
        }
        match block_in_place(|| self.ledger.attempts(twin::ATTEMPTS)) {
            Ok(attempts) if !twin::is_foreign(&attempts, updated) => return None,
            Ok(_) => {}
            Err(error) => return Some(format!("what this validator has set is not known: {error}")),
        }
        // A registration is an activity, too.
        match self.chain.registered_at(own.uid).await {
            Ok(Some(registered)) if registered == updated => None,
            Ok(_) | Err(ChainError::Missing { .. }) => Some(twin::reason(updated, silence)),
            Err(error) => {
                Some(format!("whether another host sets weights with this hotkey is not known: {error}"))
            }
        }
    }

    /// Our own hotkey among these.
    pub(super) fn own<'a>(&self, neurons: &'a [Neuron]) -> Option<&'a Neuron> {
        neurons.iter().find(|neuron| Some(&neuron.hotkey) == self.run.hotkey.as_ref())
    }

    fn is_setting_due(&self, head: Block) -> bool {
        if self.stood_by.is_some_and(|since| (0..schedule::RETRY).contains(&(head - since))) {
            return false;
        }
        let updated = self.own(&self.neurons).map(|neuron| neuron.last_update);
        schedule::setting(&self.config.network, self.attempt.as_ref(), updated, head)
    }

    /// Keeps how an attempt to set weights ended.
    pub(super) async fn take_attempt(&mut self) {
        let Some(setting) = self.setting.take_if(|setting| setting.is_finished()) else { return };
        let (id, attempt) = match setting.await {
            Ok(ended) => ended,
            Err(error) => return error!(%error, "setting weights broke off"),
        };
        if let Err(error) = block_in_place(|| self.ledger.replace_attempt(id, &attempt)) {
            error!(%error, "how setting weights ended is not recorded");
        }
        let (block, computed, uids) = (attempt.block.0, attempt.computed.0, attempt.weights.len());
        let transaction = attempt.transaction.as_deref().unwrap_or("");
        let why = attempt.error.as_deref().unwrap_or("");
        match attempt.sent {
            Sent::Set => info!(block, computed, uids, transaction, "weights set"),
            Sent::Committed => {
                info!(block, computed, uids, transaction, "weights committed; the chain shows them later")
            }
            Sent::DryRun => info!(block, computed, uids, "weights would be set: this is a dry run"),
            Sent::Unconfirmed => warn!(block, transaction, why, "weights may be set or not"),
            Sent::Failed => error!(block, why, "weights not set; trying again"),
        }
        self.attempt = Some(attempt);
    }
}
