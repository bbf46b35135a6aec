//! The signatures of rounds, in one pass over what waits: from the ledger or the beacon.

use futures_util::{StreamExt as _, stream};
use mantis_ledger::{Ledger, LedgerError};
use mantis_network::beacon::{BeaconClient, BeaconError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Signatures fetched at the same time.
const PARALLEL: usize = 16;
/// Time that the signatures of one block may take; what has not come by then waits alone, if others have.
const PATIENCE: Duration = Duration::from_secs(6);
/// Age of the round by which it is seen whether the beacon works, in rounds: old enough to be at every endpoint.
const PROBE: u64 = 20;

/// What is known of the beacon in one pass.
pub(super) struct Rounds {
    beacon: BeaconClient,
    /// The newest round that can be out.
    newest: u64,
    until: Instant,
    health: Health,
    /// Rounds that it did not give in this pass, and why.
    failed: BTreeMap<u64, String>,
}

/// Whether the beacon gives signatures in this pass.
enum Health {
    Unknown,
    Works,
    Silent(String),
}

/// What is had of some rounds, and what not, with the reason.
#[derive(Default)]
pub(super) struct Found {
    pub(super) signatures: BTreeMap<u64, [u8; 48]>,
    /// Not given, though the beacon gives others.
    pub(super) missing: BTreeMap<u64, String>,
}

/// Why nothing is asked for a round of the future.
pub(super) fn not_out(round: u64) -> String {
    format!("beacon round {round} is not out yet")
}

impl Rounds {
    /// A pass that ends with `until`, at a Unix time.
    pub(super) fn new(beacon: BeaconClient, now: u64, until: Instant) -> Self {
        let newest = beacon.scheme().round_at(now);
        Self { beacon, newest, until, health: Health::Unknown, failed: BTreeMap::new() }
    }

    /// The newest round that can be out.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether the time of the pass is over.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// The signatures of rounds; what was fetched is kept in the ledger at once. In the place of an answer, why nothing
    /// can be said of some of them: the beacon gives none at all, or the pass is over. That is nobody's fault who named
    /// the rounds.
    pub(super) async fn find(
        &mut self,
        ledger: &mut Ledger,
        wanted: &BTreeSet<u64>,
    ) -> Result<Result<Found, String>, LedgerError> {
        let mut found = Found::default();
        let mut ask = Vec::new();
        for &round in wanted {
            if let Some(signature) = ledger.signature(round)? {
                found.signatures.insert(round, signature);
            } else if round > self.newest {
                found.missing.insert(round, not_out(round));
            } else if let Some(why) = self.failed.get(&round) {
                found.missing.insert(round, why.clone());
            } else {
                ask.push(round);
            }
        }
        if ask.is_empty() {
            return Ok(Ok(found));
        }
        if let Health::Silent(why) = &self.health {
            return Ok(Err(why.clone()));
        }
        let (given, failed) = self.fetch(&ask).await;
        ledger.store_signatures(&given)?;
        found.signatures.extend(given);
        if !failed.is_empty() && !self.works().await {
            let why = failed.into_values().next().unwrap_or_default();
            self.health = Health::Silent(why.clone());
            return Ok(Err(why));
        }
        self.failed.extend(failed.clone());
        found.missing.extend(failed);
        let is_had = |round: &u64| found.signatures.contains_key(round) || found.missing.contains_key(round);
        match ask.iter().find(|round| !is_had(round)) {
            None => Ok(Ok(found)),
            Some(round) => {
                Ok(Err(format!("beacon round {round} is not had yet: the time of this step is over")))
            }
        }
    }

    /// Asks for rounds, some at once. Those without an answer after a while have failed, but where the pass ends before:
    /// those are in neither part.
    async fn fetch(&mut self, rounds: &[u64]) -> (Vec<(u64, [u8; 48])>, BTreeMap<u64, String>) {
        let patience = Instant::now() + PATIENCE;
        let ask = |round: u64| {
            let beacon = &self.beacon;
            async move { (round, beacon.signature(round).await) }
        };
        let mut asking = stream::iter(rounds.iter().copied().map(ask)).buffer_unordered(PARALLEL);
        let (mut given, mut failed) = (Vec::new(), BTreeMap::new());
        while let Ok(Some((round, answer))) = timeout_at(self.until.min(patience), asking.next()).await {
            match answer {
                Ok(signature) => given.push((round, signature)),
                Err(BeaconError::NotYet { .. }) => {
                    failed.insert(round, format!("beacon round {round} is not had yet"));
                }
                Err(error) => {
                    failed.insert(round, error.to_string());
                }
            }
        }
        drop(asking);
        if !given.is_empty() {
            self.health = Health::Works;
        }
        if patience <= self.until {
            let seconds = PATIENCE.as_secs();
            for &round in rounds.iter().filter(|round| !given.iter().any(|(had, _)| had == *round)) {
                let why = || format!("the beacon did not answer for round {round} within {seconds} s");
                failed.entry(round).or_insert_with(why);
            }
        }
        (given, failed)
    }

    /// Whether the beacon gives signatures: if none was given in this pass, one is asked for that it must have.
    async fn works(&mut self) -> bool {
        if let Health::Unknown = self.health {
            let probe = self.newest.saturating_sub(PROBE).max(1);
            if let Ok(Ok(_)) = timeout_at(self.until, self.beacon.signature(probe)).await {
                self.health = Health::Works;
            }
        }
        matches!(self.health, Health::Works)
    }
}
