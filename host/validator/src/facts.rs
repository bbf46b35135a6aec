//! Lists of facts from outside, brought up to date beside sampling and kept in the ledger.
//!
//! A source that gives nothing, or something that cannot be, leaves its list as it is: an older list, never an empty one.

use mantis_config::{Config, FactKind, FactSource, Sidx};
use mantis_ledger::{Ledger, LedgerError, StoredFacts};
use mantis_network::facts::{FactClient, FactError, FactUpdate, Known};
use serde_json::json;
use std::collections::BTreeMap;
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// Keeps the lists of a configuration up to date.
#[derive(Default)]
pub struct FactKeeper {
    sources: Vec<Source>,
}

struct Source {
    client: FactClient,
    /// The sample with which it is looked at next.
    next: Option<Sidx>,
    looking: Option<Looking>,
}

/// A look under way.
type Looking = JoinHandle<Result<FactUpdate, FactError>>;

/// How it stands with a list of facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FactStanding {
    /// As of which of its source's blocks the list is complete.
    pub block: Option<i64>,
    /// That block's time, or the document's, Unix seconds.
    pub time: Option<f64>,
    /// When it was last brought up to date, Unix seconds.
    pub updated: Option<u64>,
    /// Why it was not brought up to date last time; `None` where it was.
    pub fault: Option<String>,
}

impl FactKeeper {
    /// Goes on with the lists of a configuration; those that stay are not asked for again.
    ///
    /// # Errors
    /// If an HTTP client cannot be set up; then nothing is changed.
    pub fn set_config(&mut self, config: &Config) -> Result<(), FactError> {
        let mut sources = Vec::with_capacity(config.facts.len());
        for source in &config.facts {
            if !self.sources.iter().any(|known| known.client.source() == source) {
                let client = FactClient::new(source)?;
                sources.push(Source { client, next: None, looking: None });
            }
        }
        self.sources.retain(|known| config.facts.contains(known.client.source()));
        self.sources.append(&mut sources);
        Ok(())
    }

    /// Takes in what has come, and asks for what is due with a sample. Gives how it stands with each list that something
    /// is new of, by name.
    pub(super) async fn refresh(
        &mut self,
        ledger: &mut Ledger,
        sidx: Sidx,
        now: u64,
    ) -> BTreeMap<String, FactStanding> {
        let mut standings = BTreeMap::new();
        for source in &mut self.sources {
            if let Some(looking) = source.looking.take_if(|looking| looking.is_finished()) {
                standings.insert(source.name(), source.taken(looking, ledger, now).await);
            }
            if source.looking.is_none() && source.next.is_none_or(|next| next <= sidx) {
                source.look(ledger, sidx, now);
            }
        }
        standings
    }

    /// Asks for all that is new of every list, whether it is due or not, and waits for it. Gives how it stands with each list,
    /// by name.
    pub async fn catch_up(
        &mut self,
        ledger: &mut Ledger,
        sidx: Sidx,
        now: u64,
    ) -> BTreeMap<String, FactStanding> {
        let mut standings = BTreeMap::new();
        for source in &mut self.sources {
            loop {
                if source.looking.is_none() {
                    source.look(ledger, sidx, now);
                }
                let Some(looking) = source.looking.take() else { break };
                standings.insert(source.name(), source.taken(looking, ledger, now).await);
                if source.next.is_some() {
                    break;
                }
            }
        }
        standings
    }
}

impl Source {
    fn name(&self) -> String {
        self.client.source().name.clone()
    }

    /// Asks for what is new.
    fn look(&mut self, ledger: &Ledger, sidx: Sidx, now: u64) {
        let known = self.known(ledger);
        let client = self.client.clone();
        self.looking = Some(tokio::spawn(async move { client.read(known, now).await }));
        self.next = Some(sidx + i64::from(self.client.source().every));
    }

    /// Takes in what has come. Gives how it stands with the list now.
    async fn taken(&mut self, looking: Looking, ledger: &mut Ledger, now: u64) -> FactStanding {
        let outcome = match looking.await {
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let outcome = outcome.and_then(|update| {
            self.take(ledger, update, now).map_err(|error: LedgerError| error.to_string())
        });
        let (fault, name) = (outcome.unwrap_or_else(Some), self.name());
        if let Some(fault) = &fault {
            warn!(facts = name, %fault, "the list of facts is not brought up to date, the one before stands");
        }
        let known = ledger.facts(&name).ok().flatten();
        let list = known.as_ref().map(|known| &known.list);
        FactStanding {
            block: list.and_then(|list| list.block),
            time: list.and_then(|list| list.time),
            updated: known.as_ref().map(|known| known.unix),
            fault,
        }
    }

    /// How far the list is known: nothing of it where it came from another source.
    fn known(&self, ledger: &Ledger) -> Known {
        let source = self.client.source();
        let stored =
            ledger.facts(&source.name).ok().flatten().filter(|stored| stored.source == identity(source));
        stored
            .map_or_else(Known::default, |stored| Known { block: stored.list.block, time: stored.list.time })
    }

    /// Stores what has come. Gives what is to be said of it, where something is.
    fn take(
        &mut self,
        ledger: &mut Ledger,
        update: FactUpdate,
        now: u64,
    ) -> Result<Option<String>, LedgerError> {
        let source = self.client.source();
        let FactUpdate { list, is_whole, more, faults } = update;
        let is_new = self.known(ledger) == Known::default();
        let (facts, block) = (list.rows.len(), list.block);
        let stored = StoredFacts { list, source: identity(source), unix: now };
        ledger.store_facts(&stored, is_whole || is_new)?;
        if facts > 0 {
            info!(facts = source.name, new = facts, block, "facts");
        }
        if more {
            // The rest follows at once.
            self.next = None;
        }
        Ok(faults.first().map(|fault| format!("{fault}; others were asked in its place")))
    }
}

/// What tells a source's facts from those of another: not how it is reached.
fn identity(source: &FactSource) -> String {
    let kind = match source.kind {
        FactKind::EvmLogs => "evm_logs",
        FactKind::Document => "document",
    };
    let (contract, event) = (source.contract.map(hex::encode), source.event.map(hex::encode));
    json!([
        kind,
        source.chain_id,
        contract,
        event,
        source.from_block,
        source.hotkey,
        source.numbers,
        source.signer
    ])
    .to_string()
}
