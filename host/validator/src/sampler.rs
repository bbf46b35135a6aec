//! One sampled block: collect, judge, store.

use super::clock::unix;
use super::doubtful::doubtful_prices;
use super::shares::Shares;
use mantis_config::{Block, Config, Doubtful, Stale};
use mantis_ledger::{
    Accepted, Arrival, DoubtfulPrice, Ledger, LedgerError, NewRow, Rejection, Sample, SampledBlock, Stage,
};
use mantis_network::chain::{BLOCK_SECONDS, Chain, ChainError, Head, Neuron};
use mantis_network::collect::{Collected, Collector};
use mantis_network::facts::FactError;
use mantis_network::http::HttpError;
use mantis_network::market::{Document, Feed, FeedError, Freshness, Quotes, StaleFeed, price_of};
use mantis_payload::beacon::{KeyError, Scheme};
use mantis_payload::{Envelope, EnvelopeRules};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

/// Samples blocks.
pub struct Sampler {
    config: Arc<Config>,
    collector: Collector,
    feed: Feed,
    scheme: Scheme,
    freshness: Mutex<Freshness>,
}

/// What one sampled block brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampled {
    /// The block.
    pub block: Block,
    /// Payloads that wait to be opened.
    pub accepted: usize,
    /// Payloads that were not there, or were refused.
    pub rejected: usize,
    /// Hotkeys that were not even looked at, as there are more than `max_hotkeys`.
    pub left_out: usize,
    /// Payloads that were not fetched for a fault of this machine; they count against nobody.
    pub own_faults: usize,
    /// The first such fault.
    pub own_fault: Option<String>,
    /// Why there are no prices.
    pub feed_fault: Option<String>,
    /// Why some of several feeds did not answer.
    pub feed_silent: Option<String>,
    /// Why the feed's prices are old ones.
    pub feed_stale: Option<String>,
    /// Prices that are hardly to be believed.
    pub doubtful: Vec<DoubtfulPrice>,
}

/// Why a block was not sampled. Nothing of it is stored.
#[derive(Debug, Error)]
pub enum SampleError {
    /// The chain did not say who has committed what.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a sampler cannot be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// No HTTP client.
    #[error("cannot set up HTTP: {0}")]
    Http(#[from] HttpError),
    /// The beacon's key is not valid.
    #[error(transparent)]
    Beacon(#[from] KeyError),
    /// No client of the feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// No client of a source of facts.
    #[error(transparent)]
    Facts(#[from] FactError),
}

impl Sampler {
    /// A sampler by a configuration; payloads are sealed for `scheme`.
    ///
    /// # Errors
    /// If HTTP clients cannot be set up.
    pub fn new(config: Arc<Config>, scheme: Scheme) -> Result<Self, SetupError> {
        let collector = Collector::new(&config.collect)?;
        let feed = Feed::new(&config.market)?;
        Ok(Self { config, collector, feed, scheme, freshness: Mutex::default() })
    }

    /// Goes on with another configuration; HTTP clients that it says nothing new about stay.
    ///
    /// # Errors
    /// If HTTP clients cannot be set up; then nothing is changed.
    pub fn set_config(&mut self, config: Arc<Config>) -> Result<(), SetupError> {
        let is_other = self.config.collect != config.collect;
        let collector = if is_other { Some(Collector::new(&config.collect)?) } else { None };
        if self.config.market != config.market {
            self.feed = Feed::new(&config.market)?;
        }
        if let Some(collector) = collector {
            self.collector = collector;
        }
        self.config = config;
        Ok(())
    }

    /// Samples the block `head`: fetches prices and every neuron's payload, checks their outsides, and stores them in
    /// one transaction. A feed that fails leaves the block without prices.
    ///
    /// # Errors
    /// [`SampleError`].
    pub async fn sample(
        &self,
        chain: &dyn Chain,
        neurons: &[Neuron],
        head: Head,
        ledger: &mut Ledger,
    ) -> Result<Sampled, SampleError> {
        let commitments = chain.commitments(Some(head.block)).await?;
        let (hotkeys, left_out) = sampled(neurons, &commitments, self.config.collect.max_hotkeys);
        let (quotes, collected) =
            tokio::join!(self.feed.document(), self.collector.round(&commitments, &hotkeys));
        let (mut quotes, feed_fault, feed_silent, feed_stale) = match quotes {
            Ok(document) => {
                let stale = self.is_fresh(&document).err().map(|stale| stale.to_string());
                let silent = document.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                (document.quotes, None, (!silent.is_empty()).then_some(silent), stale)
            }
            Err(fault) => (Quotes::default(), Some(fault.to_string()), None, None),
        };
        if feed_stale.is_some() && self.config.market.doubtful == Doubtful::LeaveOut {
            quotes = Quotes::default();
        }
        let mut sample = Sample { step: self.step(head, &quotes), ..Sample::default() };
        sample.doubtful = doubtful_prices(&self.config, ledger, &mut sample.step)?;
        let mut shares = Shares::of(ledger, self.config.collect.waiting_bytes, hotkeys.len())?;
        let (mut own_faults, mut own_fault) = (0, None);
        for one in collected {
            if let Some(fault) = one.outcome.as_ref().err().filter(|fault| fault.is_ours()) {
                own_faults += 1;
                own_fault.get_or_insert_with(|| fault.to_string());
                sample.arrivals.push(Arrival { hotkey: one.hotkey, accepted: None });
                continue;
            }
            let (arrival, rejection) = self.judge(one, head, ledger, &mut shares)?;
            sample.arrivals.push(arrival);
            sample.rejections.extend(rejection);
        }
        ledger.sample(&sample)?;
        Ok(Sampled {
            block: sample.step.block,
            accepted: sample.arrivals.iter().filter(|arrival| arrival.accepted.is_some()).count(),
            rejected: sample.rejections.len(),
            left_out,
            own_faults,
            own_fault,
            feed_fault,
            feed_silent,
            feed_stale,
            doubtful: sample.doubtful,
        })
    }

    fn is_fresh(&self, document: &Document) -> Result<(), StaleFeed> {
        self.freshness.lock().unwrap_or_else(PoisonError::into_inner).judge(document, unix())
    }

    fn step(&self, head: Head, quotes: &Quotes) -> SampledBlock {
        let block = head.block;
        let row = |challenge: &mantis_config::Challenge| {
            let (price, price_data) = price_of(challenge, quotes);
            NewRow {
                ticker: challenge.ticker.clone(),
                dim: challenge.dim as u32,
                blocks_ahead: challenge.blocks_ahead,
                price,
                price_data,
                submissions: Vec::new(),
            }
        };
        let sidx = block.sidx(self.config.network.sample_every);
        SampledBlock { block, sidx, rows: self.config.challenges.iter().map(row).collect() }
    }

    /// Whether what was collected may wait, and why not.
    fn judge(
        &self,
        Collected { hotkey, outcome }: Collected,
        head: Head,
        ledger: &Ledger,
        shares: &mut Shares,
    ) -> Result<(Arrival, Option<Rejection>), LedgerError> {
        let network = &self.config.network;
        let waits = network.maturity() + i64::from(network.retain_blocks);
        let matures = head.unix + waits.cast_unsigned() * BLOCK_SECONDS;
        let refuse = |hotkey: String, stage, code: &str, detail: String| {
            let rejection =
                Rejection { hotkey: hotkey.clone(), stage, ticker: String::new(), code: code.into(), detail };
            Ok((Arrival { hotkey, accepted: None }, Some(rejection)))
        };
        let payload = match outcome {
            Ok(payload) => payload,
            Err(fault) => return refuse(hotkey, Stage::Fetch, fault.code(), fault.to_string()),
        };
        let plaintext_bytes = self.config.collect.plaintext_bytes;
        let rules = EnvelopeRules::new(network.owner_key, self.scheme.round_at(matures), plaintext_bytes);
        let envelope = match Envelope::parse(&payload, &hotkey, &rules) {
            Ok(envelope) => envelope,
            Err(refusal) => return refuse(hotkey, Stage::Parse, refusal.code(), refusal.to_string()),
        };
        let (round, oldest) = (envelope.round(), self.config.beacon.oldest_round);
        let is_old = self.scheme.published_at(round).saturating_add(oldest) < head.unix;
        // One that was seen when its round was young is only served unchanged.
        let is_known = || -> Result<bool, LedgerError> {
            Ok(ledger.signature(round)?.is_some() || ledger.has_seen(&hotkey, &envelope.sha256())?)
        };
        if is_old && !is_known()? {
            let detail = format!("round {round} was out more than {oldest} s before; seal for one to come");
            return refuse(hotkey, Stage::Parse, "round_too_old", detail);
        }
        let early = envelope.round() <= self.scheme.round_at(head.unix);
        if self.config.collect.stale == Stale::Refuse {
            if early {
                let detail = format!("round {} was out already; seal for a later one", envelope.round());
                return refuse(hotkey, Stage::Parse, "early", detail);
            }
            if ledger.has_seen(&hotkey, &envelope.sha256())? {
                let detail = "the file is the one served before; upload a new one every minute".into();
                return refuse(hotkey, Stage::Parse, "stale", detail);
            }
        }
        if let Err(why) = shares.take(&hotkey, payload.len()) {
            return refuse(hotkey, Stage::Parse, "no_share", why);
        }
        let sha256 = envelope.sha256();
        Ok((Arrival { hotkey, accepted: Some(Accepted { payload, sha256, round, early }) }, None))
    }
}

/// The hotkeys that are sampled, sorted, at most so many, and how many are left out: those that have committed something
/// go before others, and of those the lower UIDs.
fn sampled(neurons: &[Neuron], commitments: &BTreeMap<String, String>, most: usize) -> (Vec<String>, usize) {
    let mut order: Vec<&Neuron> = neurons.iter().collect();
    order.sort_by_key(|neuron| (!commitments.contains_key(&neuron.hotkey), neuron.uid));
    let mut hotkeys: Vec<String> = order.iter().take(most).map(|neuron| neuron.hotkey.clone()).collect();
    hotkeys.sort_unstable();
    hotkeys.dedup();
    (hotkeys, order.len().saturating_sub(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_hotkeys_those_that_send_are_sampled() {
        let neuron = |uid: u16| Neuron { uid, hotkey: format!("hk{uid:05}"), ..Neuron::default() };
        let neurons: Vec<Neuron> = (0..=u16::MAX).map(neuron).collect();
        let commitments = (65_000..65_100).map(|uid| (format!("hk{uid:05}"), String::new())).collect();
        let (hotkeys, left_out) = sampled(&neurons, &commitments, 256);
        assert_eq!((hotkeys.len(), left_out), (256, 65_280));
        assert_eq!((hotkeys[155].as_str(), hotkeys[156].as_str()), ("hk00155", "hk65000"));
        assert_eq!(sampled(&neurons[..256], &commitments, 256).1, 0);
    }
}
