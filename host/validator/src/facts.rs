//! Lists of facts from outside, brought up to date beside sampling and kept in the ledger.
//!
//! A source that gives nothing, or something that cannot be, leaves its list as it is: an older list, never an empty one.

use mantis_config::{Config, FactKind, FactSource, Sidx};
use mantis_ledger::{FactsHead, Ledger, LedgerError};
use mantis_network::facts::{FactClient, FactError, FactUpdate, Known};
use serde_json::json;
use std::collections::BTreeMap;
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// The lists of a configuration.
#[derive(Default)]
pub struct FactKeeper {
    sources: Vec<Source>,
}

struct Source {
    client: FactClient,
    /// The sample with which it is looked at next.
    next: Option<Sidx>,
    looking: Option<Look>,
}

/// A look that is under way.
struct Look {
    /// How far the list was known when it began.
    known: Known,
    /// What comes of it.
    task: JoinHandle<Result<FactUpdate, FactError>>,
}

impl Drop for Look {
    /// Nobody waits for it any more.
    fn drop(&mut self) {
        self.task.abort();
    }
}

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
        let mut standings: BTreeMap<String, FactStanding> = BTreeMap::new();
        for source in &mut self.sources {
            if source.looking.as_ref().is_some_and(|look| look.task.is_finished()) {
                standings.insert(source.name(), source.finished(ledger, now).await);
            }
            if source.looking.is_none()
                && source.next.is_none_or(|next| next <= sidx)
                && let Err(error) = source.look(ledger, sidx, now)
            {
                standings.entry(source.name()).or_default().fault = Some(error.to_string());
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
        let mut standings: BTreeMap<String, FactStanding> = BTreeMap::new();
        for source in &mut self.sources {
            loop {
                if source.looking.is_none()
                    && let Err(error) = source.look(ledger, sidx, now)
                {
                    standings.entry(source.name()).or_default().fault = Some(error.to_string());
                    break;
                }
                standings.insert(source.name(), source.finished(ledger, now).await);
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
    fn look(&mut self, ledger: &Ledger, sidx: Sidx, now: u64) -> Result<(), LedgerError> {
        self.next = Some(sidx + i64::from(self.client.source().every));
        let known = known(&self.head(ledger)?);
        let (client, asked) = (self.client.clone(), known.clone());
        let task = tokio::spawn(async move { client.read(&asked, now).await });
        self.looking = Some(Look { known, task });
        Ok(())
    }

    /// How far the list is had: nothing of it where it came from another source. A ledger that cannot be read is no ledger
    /// without the list.
    fn head(&self, ledger: &Ledger) -> Result<FactsHead, LedgerError> {
        let source = self.client.source();
        let begun = FactsHead { source: identity(source), ..FactsHead::default() };
        Ok(ledger.facts_head(&source.name)?.filter(|head| head.source == begun.source).unwrap_or(begun))
    }

    /// Stores what has come of a look. Gives how it stands with the list now.
    async fn finished(&mut self, ledger: &mut Ledger, now: u64) -> FactStanding {
        let (fault, name) = (self.finish(ledger, now).await, self.name());
        if let Some(fault) = &fault {
            warn!(facts = name, %fault, "the list of facts is not brought up to date, the one before stands");
        }
        let head = ledger.facts_head(&name).ok().flatten();
        FactStanding {
            block: head.as_ref().and_then(|head| head.block),
            time: head.as_ref().and_then(|head| head.time),
            updated: head.as_ref().map(|head| head.unix),
            fault,
        }
    }

    /// The same, but gives what is to be said of it, where something is.
    async fn finish(&mut self, ledger: &mut Ledger, now: u64) -> Option<String> {
        let mut look = self.looking.take()?;
        match (&mut look.task).await {
            Ok(Ok(update)) => {
                self.take(ledger, &look.known, update, now).unwrap_or_else(|e| Some(e.to_string()))
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    fn take(
        &mut self,
        ledger: &mut Ledger,
        asked: &Known,
        update: FactUpdate,
        now: u64,
    ) -> Result<Option<String>, LedgerError> {
        let source = self.client.source();
        let FactUpdate { list, hash, is_whole, is_complete, stopped, faults } = update;
        let before = self.head(ledger)?;
        if known(&before) != *asked {
            return Ok(Some("the list has changed while it was read; it is read again".into()));
        }
        let anew = is_whole || *asked == Known::default();
        let (block, new) = (list.block, list.rows.len());
        let head = FactsHead {
            block,
            time: list.time,
            hash,
            // One that was complete and falls behind is an older list.
            is_complete: is_complete || before.is_complete,
            unix: now,
            source: before.source,
        };
        ledger.store_facts(&source.name, &head, &list.rows, anew)?;
        if new > 0 || !is_complete {
            info!(facts = source.name, new, block, is_complete, "facts");
        }
        if !is_complete && stopped.is_none() {
            // The rest follows at once.
            self.next = None;
        }
        let stopped = stopped.map(|fault| format!("{fault}; it was read up to there"));
        Ok(stopped.or_else(|| faults.first().map(|fault| format!("{fault}; others were asked in its place"))))
    }
}

fn known(head: &FactsHead) -> Known {
    Known { block: head.block, time: head.time, hash: head.hash.clone() }
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
        source.confirmations,
        source.hotkey,
        source.numbers,
        source.signer
    ])
    .to_string()
}
