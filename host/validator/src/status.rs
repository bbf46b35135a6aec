//! What a validator is doing, for those who look.

use super::{Progress, Sampled};
use mantis_config::{Block, Config};
use mantis_ledger::{Attempt, Sent};
use mantis_network::chain::Head;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::watch;
use utoipa::ToSchema;

/// What a validator is doing now. Times are Unix seconds; what is not yet known is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Status {
    /// When it was started.
    pub started: u64,
    /// When it last began a turn: it does so every few seconds.
    pub alive: u64,
    /// The network, as it was named at the start: `finney`, hosts of nodes, `demo`. What else their URLs hold may be
    /// a secret, and is left out.
    pub network: String,
    /// The subnet.
    pub netuid: u16,
    /// Its own hotkey, SS58; null where it has none.
    pub hotkey: Option<String>,
    /// Whether weights are only computed, and nothing is sent.
    pub dry_run: bool,
    /// The chain.
    pub chain: ChainStatus,
    /// Taking in what miners send.
    pub sampling: SamplingStatus,
    /// Opening what has waited long enough.
    pub opening: OpeningStatus,
    /// Computing weights, and setting them.
    pub weights: WeightsStatus,
    /// Following the configuration's files.
    pub configuration: ConfigurationStatus,
}

/// How it stands with the chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ChainStatus {
    /// The newest block that was seen.
    #[schema(value_type = Option<u64>)]
    pub block: Option<Block>,
    /// That block's own time.
    pub block_time: Option<u64>,
    /// When the chain answered last.
    pub answered: Option<u64>,
    /// Why it does not answer; null where it does.
    pub fault: Option<String>,
    /// Registered neurons.
    pub neurons: Option<usize>,
    /// Whether our own hotkey is among them; null where there is none.
    pub registered: Option<bool>,
    /// Whether our own hotkey may set weights.
    pub permit: Option<bool>,
}

/// How it stands with sampling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct SamplingStatus {
    /// The newest block that was sampled.
    #[schema(value_type = Option<u64>)]
    pub block: Option<Block>,
    /// When that was.
    pub at: Option<u64>,
    /// How many blocks later than its own.
    pub late: Option<u64>,
    /// How long it took, s.
    pub seconds: Option<f64>,
    /// Payloads that were taken in then.
    pub accepted: Option<usize>,
    /// Payloads that were not there then, or were refused.
    pub refused: Option<usize>,
    /// Blocks sampled since the start.
    pub samples: u64,
    /// Blocks missed since the start: not sampled while miners still served what belonged to them.
    pub missed: u64,
    /// Payloads that were not fetched for the newest sample by a fault of this machine, and why; null where there was
    /// none. They count against no miner.
    pub own_fault: Option<String>,
    /// Hotkeys that were not looked at for the newest sample, as there are more than `max_hotkeys`.
    pub left_out: usize,
    /// Why the market feed gave no prices for the newest sample; null where it did.
    pub feed_fault: Option<String>,
    /// Why the newest block that is due is not sampled; null where it is.
    pub fault: Option<String>,
    /// Payloads taken in since the start.
    pub accepted_total: u64,
    /// Payloads not fetched by a fault of this machine, since the start.
    pub own_faults_total: u64,
    /// Payloads not there, or refused, since the start.
    pub refused_total: u64,
    /// Time spent in sampling since the start, s.
    pub seconds_total: f64,
}

/// How it stands with opening.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct OpeningStatus {
    /// Sampled blocks that are old enough, and wait for the beacon.
    pub waiting: usize,
    /// What they wait for.
    pub fault: Option<String>,
    /// Payloads that wait alone: the beacon does not give their round, though it gives others.
    pub delayed: usize,
    /// Why live states of challenges about events are behind.
    pub untracked: Option<String>,
    /// Payloads opened since the start.
    pub opened_total: u64,
    /// Payloads, or parts of them, refused at opening since the start.
    pub refused_total: u64,
}

/// How it stands with weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct WeightsStatus {
    /// The block that weights are being computed for; null where none are.
    #[schema(value_type = Option<i64>)]
    pub computing: Option<Block>,
    /// The block of the newest computation.
    #[schema(value_type = Option<i64>)]
    pub computed: Option<Block>,
    /// Why the newest computation failed; null where it did not.
    pub fault: Option<String>,
    /// The block from which on the next computation is due.
    #[schema(value_type = Option<i64>)]
    pub next_computation: Option<Block>,
    /// The block of the newest attempt to set weights.
    #[schema(value_type = Option<i64>)]
    pub attempted: Option<Block>,
    /// How it ended: `set`, `committed`, `unconfirmed`, `failed` or `dry run`.
    pub outcome: Option<String>,
    /// Why it failed, where it did.
    pub attempt_fault: Option<String>,
    /// The block from which on the next setting is due.
    #[schema(value_type = Option<i64>)]
    pub next_setting: Option<Block>,
    /// Computations that failed since the start.
    pub failures: u64,
}

/// How it stands with the configuration's files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ConfigurationStatus {
    /// The file.
    pub file: String,
    /// When what runs was taken.
    pub taken: u64,
    /// Why a changed file is not taken; null where what runs is what the file says.
    pub fault: Option<String>,
}

/// Where a validator writes what it is doing, and by which configuration.
#[derive(Clone, Debug)]
pub struct Board {
    status: watch::Sender<Status>,
    config: watch::Sender<Arc<Config>>,
}

impl Board {
    /// A board for a validator that begins with this configuration.
    #[must_use]
    pub fn new(status: Status, config: Arc<Config>) -> Self {
        let now = super::clock::unix();
        let file = config.file.display().to_string();
        let configuration = ConfigurationStatus { file, taken: now, fault: None };
        let status =
            Status { started: now, alive: now, netuid: config.network.netuid, configuration, ..status };
        Self { status: watch::Sender::new(status), config: watch::Sender::new(config) }
    }

    /// Changes what is written.
    pub fn write(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(change);
    }

    /// Another configuration runs.
    pub fn set_config(&self, config: Arc<Config>) {
        self.config.send_replace(config);
        let taken = super::clock::unix();
        self.write(|status| {
            status.configuration.taken = taken;
            status.configuration.fault = None;
        });
    }

    /// What is written now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The configuration that runs now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }
}

impl WeightsStatus {
    /// The newest attempt to set weights.
    pub fn tried(&mut self, attempt: Option<&Attempt>) {
        self.attempted = attempt.map(|attempt| attempt.block);
        self.outcome = attempt.map(|attempt| attempt.sent.as_str().to_owned());
        self.attempt_fault = attempt.and_then(|attempt| attempt.error.clone());
    }
}

impl Status {
    /// A block was sampled, so many blocks after its own.
    pub fn sampled(&mut self, sampled: &Sampled, late: u64, seconds: f64) {
        let now = &mut self.sampling;
        now.block = Some(sampled.block);
        (now.at, now.late) = (Some(super::clock::unix()), Some(late));
        (now.accepted, now.refused) = (Some(sampled.accepted), Some(sampled.rejected));
        now.seconds = Some(seconds);
        now.samples += 1;
        now.accepted_total += sampled.accepted as u64;
        now.refused_total += sampled.rejected as u64;
        now.seconds_total += seconds;
        now.own_faults_total += sampled.own_faults as u64;
        now.own_fault =
            sampled.own_fault.as_ref().map(|why| format!("{} payloads: {why}", sampled.own_faults));
        now.left_out = sampled.left_out;
        now.feed_fault.clone_from(&sampled.feed_fault);
        now.fault = None;
    }

    /// What had waited was opened, as far as it could be.
    pub fn opened(&mut self, progress: &Progress) {
        let now = &mut self.opening;
        now.waiting = progress.waiting;
        now.fault.clone_from(&progress.why);
        now.delayed = progress.delayed;
        now.untracked.clone_from(&progress.untracked);
        now.opened_total += progress.opened as u64;
        now.refused_total += progress.rejected as u64;
    }

    /// The chain has answered.
    pub fn answered(&mut self, head: Head) {
        let now = super::clock::unix();
        self.alive = now;
        let chain = &mut self.chain;
        (chain.block, chain.block_time, chain.answered) = (Some(head.block), Some(head.unix), Some(now));
        chain.fault = None;
    }

    /// The same where the chain's clock is not the reader's.
    pub fn answered_in_play(&mut self, head: Head) {
        self.answered(head);
        self.chain.block_time = None;
    }

    /// What needs somebody, most pressing first: sentences. Empty where all is well.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut add = |what: &str, why: &Option<String>| {
            all.extend(why.as_ref().map(|why| format!("{what}: {why}")));
        };
        add("the chain does not answer", &self.chain.fault);
        add("not sampled", &self.sampling.fault);
        add("payloads were not fetched", &self.sampling.own_fault);
        add("no prices", &self.sampling.feed_fault);
        add("payloads wait to be opened", &self.opening.fault);
        add("weights are not computed", &self.weights.fault);
        if self.weights.outcome.as_deref() == Some(Sent::Failed.as_str()) {
            add("weights are not set", &self.weights.attempt_fault);
        }
        add("the changed configuration is not taken", &self.configuration.fault);
        add("live states stay behind", &self.opening.untracked);
        let sends = !self.dry_run && self.hotkey.is_some();
        if sends && self.chain.registered == Some(false) {
            all.push("our hotkey is not registered: weights cannot be set".into());
        } else if sends && self.chain.permit == Some(false) {
            all.push("our hotkey has no validator permit: weights may be refused".into());
        }
        all
    }
}

/// Addresses of nodes without what comes after the host: it may hold a key.
#[must_use]
pub fn without_path(network: &str) -> String {
    let host = |address: &str| match address.split_once("://") {
        Some((_, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            host.rsplit('@').next().unwrap_or_default().to_owned()
        }
        None => address.to_owned(),
    };
    network.split([',', ' ']).filter(|part| !part.is_empty()).map(host).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_named_without_keys() {
        assert_eq!(without_path("wss://a:b@x.org:443/key?k=1,ws://y"), "x.org:443, y");
        assert_eq!(without_path("finney"), "finney");
    }
}
