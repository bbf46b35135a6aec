//! The world around a validator, on loopback: beacon, market feed, object store, chain, and a node that tells of
//! miners' bets.

use crate::simulation::{FIRST_SIDX, SimulatedFact, SimulatedMiner, ss58, unix_of};
use mantis_config::{Block, Config, QuoteKind};
use mantis_ledger::SampledBlock;
use mantis_network::bucket::{Bucket, BucketError, BucketSettings};
use mantis_network::chain::{ChainError, Head, Neuron, OfflineChain};
use mantis_network::loopback::beacon::BeaconServer;
use mantis_network::loopback::{FactNode, FeedServer, LogEvent, ObjectServer};
use mantis_payload::OwnerSecret;
use mantis_payload::beacon::Scheme;
use mantis_payload::beacon::signing::BeaconKey;
use mantis_validator::Adjust;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

/// Blocks that a reader of the node asks for at once: all of a demo's history in a few requests.
const REQUEST_BLOCKS: u32 = 100_000;

/// Everything that a validator talks to, under a clock that is set by hand.
pub struct DemoWorld {
    /// The chain; the validator is at the UID that is given the burn.
    pub chain: Arc<OfflineChain>,
    /// The beacon.
    pub beacon: BeaconServer,
    /// Where miners upload.
    pub store: ObjectServer,
    feed: FeedServer,
    node: FactNode,
    config: Mutex<Arc<Config>>,
    pointers: Pointers,
    scheme: Scheme,
    first_block: Block,
    head: Arc<Mutex<Head>>,
    document: Arc<Mutex<Vec<u8>>>,
    /// The secret of the owner's key.
    owner: [u8; 32],
}

/// Where this world is, in the configuration's words.
#[derive(Clone)]
struct Pointers {
    owner_key: [u8; 32],
    beacon_key: [u8; 96],
    beacon: String,
    feed: String,
    node: String,
    first_block: u32,
}

/// Why a world cannot be set up.
#[derive(Debug, Error)]
pub enum WorldError {
    /// No port on loopback.
    #[error("cannot serve on 127.0.0.1: {0}")]
    Port(#[from] std::io::Error),
    /// The chain in memory refused something.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store refused something.
    #[error(transparent)]
    Store(#[from] BucketError),
    /// The beacon's key is not valid.
    #[error("no beacon key from this seed; use another --seed")]
    Key,
}

impl DemoWorld {
    /// Starts all servers; every miner is registered and has committed where its file will lie. The same seed gives
    /// the same keys.
    ///
    /// # Errors
    /// [`WorldError`].
    pub async fn start(config: &Config, miners: &[SimulatedMiner], seed: u64) -> Result<Self, WorldError> {
        let secret = |what: &str| -> [u8; 32] { Sha256::digest(format!("mantis demo {what} {seed}")).into() };
        let key = BeaconKey::from_seed(&secret("beacon")).map_err(|_| WorldError::Key)?;
        let (genesis, period) = (config.beacon.genesis, config.beacon.period);
        let scheme = Scheme::new(&key.public_key(), genesis, period).map_err(|_| WorldError::Key)?;
        let network = &config.network;
        let first = FIRST_SIDX.block(network.sample_every);
        let head = Arc::new(Mutex::new(head_at(first, first)));
        let now = {
            let head = head.clone();
            move || *head.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let document = Arc::new(Mutex::new(Vec::new()));
        let served = document.clone();
        let read = move || served.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let feed = FeedServer::start(Arc::new(read)).await?;
        let store = ObjectServer::start().await?;
        let node = FactNode::start(Arc::new(now.clone())).await?;
        let clock = now.clone();
        let beacon = BeaconServer::start(key, scheme.clone(), Arc::new(move || clock().unix)).await?;

        let validator = Neuron {
            uid: network.burn_uid,
            hotkey: ss58(secret("validator")),
            coldkey: ss58(secret("owner")),
            validator_permit: true,
            last_update: Block(0),
        };
        let uids = (0..=u16::MAX).filter(|&uid| uid != network.burn_uid);
        let registered = uids.zip(miners).map(|(uid, miner)| Neuron {
            uid,
            hotkey: miner.hotkey.clone(),
            coldkey: miner.hotkey.clone(),
            ..Neuron::default()
        });
        let neurons: Vec<Neuron> = registered.chain([validator.clone()]).collect();
        let chain = OfflineChain::new(neurons).signing_as(&validator.hotkey).with_clock(Arc::new(now));
        for miner in miners {
            chain.commit_as(&miner.hotkey, &format!("{}/{}", store.public_url(), miner.hotkey))?;
        }

        let pointers = Pointers {
            owner_key: OwnerSecret::new(secret("owner")).public_key(),
            beacon_key: scheme.public_key(),
            beacon: beacon.base(),
            feed: feed.url(),
            node: node.url(),
            first_block: u32::try_from(first.0).unwrap_or(u32::MAX),
        };
        let mut config = config.clone();
        pointers.point(&mut config);
        let (config, chain) = (Mutex::new(Arc::new(config)), Arc::new(chain));
        let (first_block, owner) = (first, secret("owner"));
        Ok(Self {
            chain,
            beacon,
            store,
            feed,
            node,
            config,
            pointers,
            scheme,
            first_block,
            head,
            document,
            owner,
        })
    }

    /// The secret of the key that miners seal for.
    #[must_use]
    pub fn owner_secret(&self) -> OwnerSecret {
        OwnerSecret::new(self.owner)
    }

    /// The configuration that miners and the feed go by, pointed at this world.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on miners and the feed go by another configuration, with the network's constants of the one before.
    pub fn set_config(&self, config: Arc<Config>) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// Points configurations at this world.
    #[must_use]
    pub fn adjust(&self) -> Adjust {
        let pointers = self.pointers.clone();
        Box::new(move |config| pointers.point(config))
    }

    /// The beacon's parameters.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// A bucket of the store, as miners use it.
    ///
    /// # Errors
    /// If it cannot be set up.
    pub fn bucket(&self) -> Result<Bucket, BucketError> {
        let settings = BucketSettings {
            endpoint: self.store.endpoint(),
            bucket: ObjectServer::BUCKET.into(),
            region: "auto".into(),
            public_url: self.store.public_url(),
        };
        Bucket::with_key(&settings, ObjectServer::ACCESS_KEY, "not-a-secret")
    }

    /// The node tells of these facts from their blocks on, where the configuration reads them from events.
    pub fn state(&self, facts: &[SimulatedFact]) {
        let config = self.config();
        let event = |fact: &SimulatedFact| {
            let source = config.facts.iter().find(|source| source.name == fact.list)?;
            LogEvent::stating(source, &fact.row)
        };
        self.node.add(facts.iter().filter_map(event));
    }

    /// Moves on to the block of a simulated row; the feed shows its prices.
    pub fn advance(&self, step: &SampledBlock) -> Head {
        self.show(step);
        self.set_block(step.block)
    }

    /// The feed shows the prices of a simulated row from now on.
    pub fn show(&self, step: &SampledBlock) {
        self.set_feed(self.quotes(step).to_string().into_bytes());
    }

    /// Moves to a block: the chain's head, and the clock with it.
    pub fn set_block(&self, block: Block) -> Head {
        let head = head_at(block, self.first_block);
        self.set_head(head);
        head
    }

    /// Moves to what another chain's head is.
    pub fn set_head(&self, head: Head) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }

    /// Replaces what the feed serves.
    pub fn set_feed(&self, document: Vec<u8>) {
        *self.document.lock().unwrap_or_else(PoisonError::into_inner) = document;
    }

    /// The market feed's document of a simulated row.
    fn quotes(&self, step: &SampledBlock) -> Value {
        let (mut prices, mut funding_rates) = (Map::new(), Map::new());
        let config = self.config();
        for (challenge, record) in config.challenges.iter().filter_map(|challenge| {
            Some((challenge, step.rows.iter().find(|record| record.ticker == challenge.ticker)?))
        }) {
            let into = match challenge.quotes {
                QuoteKind::Prices => &mut prices,
                QuoteKind::FundingRates => &mut funding_rates,
            };
            for (asset, price) in record.price_data.iter().flatten() {
                into.insert(asset.clone(), json!(price));
            }
            if let (true, Some(price)) = (challenge.assets.is_empty(), record.price) {
                let key = challenge.price_key.as_ref().unwrap_or(&challenge.ticker);
                prices.insert(key.clone(), json!(price));
            }
        }
        json!({ "prices": prices, "funding_rates": funding_rates })
    }

    /// Ends all servers.
    pub async fn stop(self) {
        self.node.stop().await;
        self.feed.stop().await;
        self.store.stop().await;
    }
}

/// A block, and its time by that of the first.
fn head_at(block: Block, first: Block) -> Head {
    Head { block, unix: unix_of(block, first) }
}

impl Pointers {
    fn point(&self, config: &mut Config) {
        config.network.owner_key = self.owner_key;
        config.beacon.public_key = self.beacon_key;
        config.beacon.api = vec![self.beacon.clone()];
        config.market.url = Some(self.feed.clone());
        config.market.others.clear();
        config.collect.hosts = vec!["127.0.0.1".into()];
        config.collect.allow_loopback = true;
        for source in &mut config.facts {
            // A document is none of a node's answers, but then nothing is asked outside of this machine.
            source.url = format!("{}/{}", self.node, source.chain_id.unwrap_or_default());
            source.others.clear();
            source.from_block = self.first_block;
            source.request_blocks = REQUEST_BLOCKS;
        }
    }
}
