//! What a validator is doing, for those who look.

use super::doubtful::in_words;
use super::facts::FactStanding;
use super::jobs::BatchStatus;
use super::release::ReleaseStatus;
use super::{Progress, Sampled};
use mantis_config::{Block, Config, bare_node};
use mantis_ledger::{Attempt, Computation, Sent};
use mantis_network::chain::Head;
use mantis_weights::{WeightsRejection, failed};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use utoipa::ToSchema;

/// Time without a turn after which a validator counts as stuck, s. Its longest turn is a few samples, each with its
/// time limit.
const STUCK: u64 = 600;

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
    /// Lists of facts from outside, by name: those that were looked at since the start.
    pub facts: BTreeMap<String, FactsStatus>,
    /// Computing weights, and setting them.
    pub weights: WeightsStatus,
    /// The batch engine that runs the workers of challenges; null where this machine does, or none has been given it yet.
    pub batch: Option<BatchStatus>,
    /// Following the configuration's files.
    pub configuration: ConfigurationStatus,
    /// Following the releases of the subnet's owner; null where that is not wanted.
    pub release: Option<ReleaseStatus>,
}

/// How it stands with the chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ChainStatus {
    /// The newest block that was seen.
    #[schema(value_type = Option<u64>)]
    pub block: Option<Block>,
    /// That block's own time.
    pub block_time: Option<u64>,
    /// The version of the chain's runtime; null where it has none, or it is not yet known.
    pub spec_version: Option<u32>,
    /// What that runtime lacks of all that is asked of it, or has in another form: sentences. Empty where it fits.
    pub lacking: Vec<String>,
    /// When the chain answered last.
    pub answered: Option<u64>,
    /// Why it does not answer; null where it does.
    pub fault: Option<String>,
    /// Since when it does not answer, or is not believed; null where it does and is.
    pub lost: Option<u64>,
    /// Why its newest block is not believed; null where it is. Nothing is sampled, computed, set or forgotten meanwhile.
    pub disbelieved: Option<String>,
    /// Times since the start that what it said of its newest block was not believed.
    pub disbelieved_total: u64,
    /// Why the metagraph could not be read, or is not believed, and an older one goes on; null where it was and is.
    pub metagraph_fault: Option<String>,
    /// Metagraphs since the start that were not believed.
    pub metagraphs_refused: u64,
    /// Registered neurons.
    pub neurons: Option<usize>,
    /// Whether our own hotkey is among them; null where there is none.
    pub registered: Option<bool>,
    /// Whether our own hotkey may set weights.
    pub permit: Option<bool>,
}

/// How it stands with a list of facts from outside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct FactsStatus {
    /// As of which of its source's blocks it is complete; null where it has no blocks, or is not had yet.
    pub block: Option<i64>,
    /// That block's time, or the document's, Unix seconds; null where it is not had yet.
    pub time: Option<f64>,
    /// When it was last brought up to date.
    pub updated: Option<u64>,
    /// Why it was not brought up to date last time, and stands as it was; null where it was.
    pub fault: Option<String>,
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
    /// Why some of several market feeds did not answer for the newest sample; null where all did.
    pub feed_silent: Option<String>,
    /// Why the prices of the newest sample are old ones; null where they are not.
    pub feed_stale: Option<String>,
    /// Prices of the newest sample that are hardly to be believed, in words; null where there are none.
    pub doubtful: Option<String>,
    /// Such prices since the start.
    pub doubtful_total: u64,
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
    /// Whether nothing is set since the subnet takes the weights of one validator alone, which is another (Null consensus).
    pub stands_by: bool,
    /// The block from which on the next setting is due.
    #[schema(value_type = Option<i64>)]
    pub next_setting: Option<Block>,
    /// Computations that failed since the start.
    pub failures: u64,
    /// Challenges that failed in the newest computation.
    pub failed: Vec<FailedChallenge>,
    /// Failures of challenges since the start, by ticker and cause.
    #[serde(skip)]
    pub challenge_failures: BTreeMap<(String, &'static str), u64>,
    /// Why the newest computation gave no weights, so that the last ones stay; null where it gave some.
    pub rejected: Option<String>,
    /// The SHA-256 of the configuration that the newest computation went by.
    pub config: Option<String>,
}

/// A challenge that failed in the newest computation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct FailedChallenge {
    /// Which.
    pub ticker: String,
    /// What kind of failure: `plugin`, `configuration`, `crash`, `deadline`, `memory`, `contract`, `refused`, `history`
    /// or `host`.
    pub cause: String,
    /// What happened, in a sentence.
    pub why: String,
    /// What it counts for. 0: a shadow, whose failure changes no weight.
    pub weight: f64,
    /// The block of the computation whose saliences stand in for it; null where none do.
    #[schema(value_type = Option<i64>)]
    pub held_from: Option<Block>,
    /// How many computations ago that was.
    pub held_computations: Option<u32>,
}

impl FailedChallenge {
    /// What to tell those who look after the validator.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { ticker, cause, why, .. } = self;
        let instead = match (self.held_from, self.held_computations) {
            (Some(block), Some(computations)) => {
                format!("; its saliences of block {block} stand in ({computations} computations old)")
            }
            _ if self.weight > 0.0 => String::new(),
            _ => "; it counts for nothing".into(),
        };
        format!("challenge {ticker} failed ({cause}): {why}{instead}")
    }
}

/// How it stands with the configuration's files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ConfigurationStatus {
    /// The file.
    pub file: String,
    /// When what runs was taken.
    pub taken: u64,
    /// SHA-256 of all that weights are computed by in what runs: the same on validators that agree.
    pub digest: String,
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
        let configuration = ConfigurationStatus { file, taken: now, digest: config.digest(), fault: None };
        let network = without_path(&status.network);
        let netuid = config.network.netuid;
        let status = Status { started: now, alive: now, network, netuid, configuration, ..status };
        Self { status: watch::Sender::new(status), config: watch::Sender::new(config) }
    }

    /// Changes what is written.
    pub fn write(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(change);
    }

    /// Another configuration runs.
    pub fn set_config(&self, config: Arc<Config>) {
        let digest = config.digest();
        self.config.send_replace(config);
        let taken = super::clock::unix();
        self.write(|status| {
            status.configuration.taken = taken;
            status.configuration.digest = digest;
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
    /// Weights were computed, or found to stay as they are.
    pub fn computed_with(&mut self, computation: &Computation) {
        self.fault = None;
        self.rejected.clone_from(&computation.rejected);
        self.config = computation.basis.as_ref().map(|basis| basis.config.clone());
        self.failed = failed(&computation.scored)
            .map(|(scored, cause)| FailedChallenge {
                ticker: scored.ticker.clone(),
                cause: cause.to_string(),
                why: scored.skipped.clone().unwrap_or_default(),
                weight: scored.weight,
                held_from: scored.held.map(|held| held.block),
                held_computations: scored.held.map(|held| held.computations),
            })
            .collect();
    }

    /// The failures of a computation that was just made.
    pub fn count_failures(&mut self, computation: &Computation) {
        for (scored, cause) in failed(&computation.scored) {
            *self.challenge_failures.entry((scored.ticker.clone(), cause.as_str())).or_default() += 1;
        }
    }

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
        now.feed_silent.clone_from(&sampled.feed_silent);
        now.feed_stale.clone_from(&sampled.feed_stale);
        now.doubtful = in_words(&sampled.doubtful);
        now.doubtful_total += sampled.doubtful.len() as u64;
        now.fault = None;
    }

    /// Something is new of these lists of facts; those that are not configured any more are left out.
    pub fn facts_came(&mut self, standings: BTreeMap<String, FactStanding>, config: &Config) {
        for (name, FactStanding { block, time, updated, fault }) in standings {
            self.facts.insert(name, FactsStatus { block, time, updated, fault });
        }
        self.facts.retain(|name, _| config.facts.iter().any(|source| source.name == *name));
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

    /// The chain has answered, and is believed.
    pub fn answered(&mut self, head: Head) {
        let now = super::clock::unix();
        self.alive = now;
        let chain = &mut self.chain;
        (chain.block, chain.block_time, chain.answered) = (Some(head.block), Some(head.unix), Some(now));
        (chain.fault, chain.disbelieved, chain.lost) = (None, None, None);
    }

    /// The chain has answered, and is not believed: what was known of it stays. `counts` if it cannot be right.
    pub fn doubted(&mut self, why: String, counts: bool) {
        let now = super::clock::unix();
        self.alive = now;
        self.chain.disbelieved = Some(why);
        self.chain.disbelieved_total += u64::from(counts);
        self.chain.fault = None;
        self.chain.lost.get_or_insert(now);
    }

    /// The chain does not answer.
    pub fn unanswered(&mut self, why: String) {
        let now = super::clock::unix();
        self.alive = now;
        self.chain.fault = Some(why);
        self.chain.lost.get_or_insert(now);
    }

    /// The same where the chain's clock is not the reader's.
    pub fn answered_in_play(&mut self, head: Head) {
        self.answered(head);
        self.chain.block_time = None;
    }

    /// For how long the validator has not gone on, s, if that is too long for one that works.
    #[must_use]
    pub fn stuck(&self, now: u64) -> Option<u64> {
        Some(now.saturating_sub(self.alive)).filter(|since| *since > STUCK)
    }

    /// What needs somebody, most pressing first: sentences. Empty where all is well.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut add = |what: &str, why: &Option<String>| {
            all.extend(why.as_ref().map(|why| format!("{what}: {why}")));
        };
        add("the chain does not answer", &self.chain.fault);
        add("the chain is not believed", &self.chain.disbelieved);
        add("the metagraph is not read, or not believed", &self.chain.metagraph_fault);
        let lacking = (!self.chain.lacking.is_empty()).then(|| self.chain.lacking.join("; "));
        add("the chain's runtime is not what this program expects, look for a newer version of it", &lacking);
        add("not sampled", &self.sampling.fault);
        add("payloads were not fetched", &self.sampling.own_fault);
        add("no prices", &self.sampling.feed_fault);
        add("a market feed does not answer, the others do", &self.sampling.feed_silent);
        add("old prices", &self.sampling.feed_stale);
        add("prices hardly to be believed", &self.sampling.doubtful);
        for (name, facts) in &self.facts {
            add(&format!("the facts `{name}` are not brought up to date"), &facts.fault);
        }
        add("payloads wait to be opened", &self.opening.fault);
        add("weights are not computed", &self.weights.fault);
        // A young ledger pays no miner for weeks: that is as it should be.
        let empty = WeightsRejection::Empty.to_string();
        add("the weights of last time stay", &self.weights.rejected.clone().filter(|why| *why != empty));
        if self.weights.outcome.as_deref() == Some(Sent::Failed.as_str()) {
            add("weights are not set", &self.weights.attempt_fault);
        }
        add("the changed configuration is not taken", &self.configuration.fault);
        add("a release is not taken", &self.release.as_ref().and_then(|release| release.fault.clone()));
        add("live states stay behind", &self.opening.untracked);
        // A shadow's failure changes no weight: it stands beside the challenge, and calls nobody.
        let counting = self.weights.failed.iter().filter(|failed| failed.weight > 0.0);
        all.extend(counting.map(FailedChallenge::sentence));
        let sends = !self.dry_run && self.hotkey.is_some();
        if sends && self.chain.registered == Some(false) {
            all.push("our hotkey is not registered: weights cannot be set".into());
        } else if sends && self.chain.permit == Some(false) && !self.weights.stands_by {
            all.push("our hotkey has no validator permit: weights may be refused".into());
        }
        all
    }
}

/// Addresses of nodes without what comes after the host: it may hold a key.
#[must_use]
pub fn without_path(network: &str) -> String {
    let host = |address: &str| match bare_node(address).split_once("://") {
        Some((_, host)) => host.to_owned(),
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
