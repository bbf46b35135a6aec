//! Opening what has waited long enough.

use super::decoders::{DecoderError, Decoders};
use super::opener::open_all;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use mantis_config::{Block, Config};
use mantis_ledger::{Ledger, LedgerError, Matured, Pending, Rejection, Stage};
use mantis_network::beacon::{BeaconClient, BeaconError};
use mantis_payload::{Envelope, EnvelopeRules};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;
use tokio::task::block_in_place;
use tokio::time::{Instant, timeout_at};

/// Signatures fetched at the same time.
const PARALLEL: usize = 16;

/// Opens payloads of sampled blocks that have matured.
pub struct Maturer {
    config: Arc<Config>,
    beacon: BeaconClient,
    decoders: Decoders,
}

/// How far maturing has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Blocks whose payloads became vectors.
    pub matured: usize,
    /// Payloads opened.
    pub opened: usize,
    /// Payloads, or parts of them, that were refused.
    pub rejected: usize,
    /// Blocks that are old enough but wait.
    pub waiting: usize,
    /// What they wait for.
    pub why: Option<String>,
    /// Why a challenge's live states did not go on; nothing is lost by it.
    pub untracked: Option<String>,
}

/// Why maturing stopped. What was committed stays, the rest waits.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct MatureError(#[from] pub LedgerError);

impl Maturer {
    /// Opens by the signatures of `beacon`, decodes by `decoders`.
    #[must_use]
    pub fn new(config: Arc<Config>, beacon: BeaconClient, decoders: Decoders) -> Self {
        Self { config, beacon, decoders }
    }

    /// Goes on with another configuration, opening by the signatures of `beacon`. Payloads that wait are decoded by it
    /// too; what they hold for challenges that had no row when they were sampled is passed over.
    pub fn set_config(&mut self, config: Arc<Config>, beacon: BeaconClient) {
        self.decoders.set_config(config.clone());
        (self.config, self.beacon) = (config, beacon);
    }

    /// Opens, oldest first, the blocks that matured by the block `newest` of Unix time `now`, until `until`. A block
    /// whose signatures cannot all be had waits for the next time; others do not wait for it. Needs a runtime with
    /// more than one thread.
    ///
    /// # Errors
    /// [`MatureError`] where the ledger fails.
    pub async fn mature(
        &mut self,
        ledger: &mut Ledger,
        newest: Block,
        now: u64,
        until: Instant,
    ) -> Result<Progress, MatureError> {
        let network = &self.config.network;
        let lag = i64::from(network.lag) * i64::from(network.sample_every);
        let due = newest - lag;
        let mut progress = Progress::default();
        let mut out_of_reach = None;
        for pending in ledger.pending()?.into_iter().filter(|pending| pending.block <= due) {
            if Instant::now() >= until {
                progress.waiting += 1;
                progress.why.get_or_insert_with(|| "the time of this step is over".into());
                continue;
            }
            match self.block(ledger, pending, now, until, &mut out_of_reach).await? {
                Ok((opened, rejected)) => {
                    progress.matured += 1;
                    progress.opened += opened;
                    progress.rejected += rejected;
                }
                Err(why) => {
                    progress.waiting += 1;
                    progress.why.get_or_insert(why);
                }
            }
        }
        Ok(progress)
    }

    /// One block: how many payloads opened and how many refusals there were, or what it waits for.
    async fn block(
        &mut self,
        ledger: &mut Ledger,
        pending: Pending,
        now: u64,
        until: Instant,
        out_of_reach: &mut Option<String>,
    ) -> Result<Result<(usize, usize), String>, LedgerError> {
        let rules = EnvelopeRules::new(self.config.network.owner_key, self.beacon.scheme().round_at(now));
        let mut matured = Matured {
            ts: pending.ts,
            block: pending.block,
            sidx: pending.block.sidx(self.config.network.sample_every),
            ..Matured::default()
        };
        let mut envelopes = Vec::new();
        for (hotkey, payload) in ledger.payloads(pending.ts)? {
            match Envelope::parse(&payload, &hotkey, &rules) {
                Ok(envelope) => envelopes.push(envelope),
                // Checked when it was sampled; another program's ledger may hold anything.
                Err(refusal) => matured.rejections.push(refused(hotkey, Stage::Parse, &refusal)),
            }
        }
        let rounds: BTreeSet<u64> = envelopes.iter().map(Envelope::round).collect();
        let signatures = match self.signatures(ledger, &rounds, until, out_of_reach).await? {
            Ok(signatures) => signatures,
            Err(why) => return Ok(Err(why)),
        };
        let mut plaintexts = Vec::new();
        let Some(opened) = block_in_place(|| open_all(&envelopes, &signatures)) else {
            return Ok(Err(format!("opening a payload of block {} panicked", pending.block)));
        };
        for (hotkey, outcome) in opened {
            match outcome {
                Ok(plaintext) => plaintexts.push((hotkey, plaintext)),
                Err(refusal) => matured.rejections.push(refused(hotkey, Stage::Open, &refusal)),
            }
        }
        let vectors = match block_in_place(|| self.decoders.decode(&plaintexts)) {
            Ok(vectors) => vectors,
            Err(DecoderError { ticker, reason }) => {
                return Ok(Err(format!("the plugin of {ticker}: {reason}")));
            }
        };
        matured.opened = plaintexts.into_iter().map(|(hotkey, _)| hotkey).collect();
        matured.rejections.extend(vectors.rejections);
        matured.vectors = vectors.by_ticker;
        block_in_place(|| ledger.mature(&matured))?;
        Ok(Ok((matured.opened.len(), matured.rejections.len())))
    }

    /// The signatures of rounds, from the ledger or the beacon; what was fetched is kept at once.
    async fn signatures(
        &self,
        ledger: &mut Ledger,
        rounds: &BTreeSet<u64>,
        until: Instant,
        out_of_reach: &mut Option<String>,
    ) -> Result<Result<BTreeMap<u64, [u8; 48]>, String>, LedgerError> {
        let mut signatures = BTreeMap::new();
        let mut missing = Vec::new();
        for &round in rounds {
            match ledger.signature(round)? {
                Some(signature) => {
                    signatures.insert(round, signature);
                }
                None => missing.push(round),
            }
        }
        if let (false, Some(why)) = (missing.is_empty(), out_of_reach.as_ref()) {
            return Ok(Err(why.clone()));
        }
        let mut fetched = Vec::new();
        for part in missing.chunks(PARALLEL) {
            let ask = |&round: &u64| async move { (round, self.beacon.signature(round).await) };
            let mut asking: FuturesUnordered<_> = part.iter().map(ask).collect();
            while let Ok(Some((round, answer))) = timeout_at(until, asking.next()).await {
                match answer {
                    Ok(signature) => fetched.push((round, signature)),
                    // No endpoint is asked again in this pass: each would be waited for once more.
                    Err(error @ (BeaconError::Unavailable { .. } | BeaconError::Invalid { .. })) => {
                        out_of_reach.get_or_insert(error.to_string());
                    }
                    Err(_) => {}
                }
            }
            if out_of_reach.is_some() {
                break;
            }
        }
        ledger.store_signatures(&fetched)?;
        signatures.extend(fetched);
        match rounds.iter().find(|round| !signatures.contains_key(round)) {
            None => Ok(Ok(signatures)),
            Some(round) => Ok(Err(out_of_reach
                .clone()
                .unwrap_or_else(|| format!("beacon round {round} is not had yet")))),
        }
    }
}

fn refused(hotkey: String, stage: Stage, refusal: &mantis_payload::PayloadRejection) -> Rejection {
    let (code, detail) = (refusal.code().into(), refusal.to_string());
    Rejection { hotkey, stage, ticker: String::new(), code, detail }
}
