//! Opening what has waited long enough.

use super::decoders::{DecoderError, Decoders};
use super::eras::Eras;
use super::opener::{ToOpen, open, refused};
use super::rounds::{self, Found, Rounds};
use mantis_config::{Block, Config};
use mantis_ledger::{Delayed, Ledger, LedgerError, Matured, Pending, Rejection, Stage};
use mantis_network::beacon::BeaconClient;
use mantis_network::chain::BLOCK_SECONDS;
use mantis_payload::json::JsonError;
use mantis_payload::{Envelope, EnvelopeRules, PayloadRejection};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;
use tokio::task::block_in_place;
use tokio::time::Instant;

/// Rounds of payloads that wait alone that are asked for in one pass.
const ASKED_AT_ONCE: usize = 64;
/// Time after which such a round is asked for again, s: at first, and at most; it doubles from the one to the other.
const PAUSE: (u64, u64) = (10, 300);

/// Opens payloads of sampled blocks that have matured.
pub struct Maturer {
    config: Arc<Config>,
    /// By which a block's payloads are decoded.
    eras: Eras,
    beacon: BeaconClient,
    decoders: Decoders,
    /// Of rounds that payloads wait for alone: from when on each is asked for again, and the pause after that.
    pauses: BTreeMap<u64, (u64, u64)>,
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
    /// Payloads that wait alone, as the beacon does not give their round though it gives others.
    pub delayed: usize,
    /// Why a challenge's live states did not go on; nothing is lost by it.
    pub untracked: Option<String>,
}

impl Progress {
    /// A payload that waited alone does so no longer.
    fn end(&mut self, ledger: &mut Ledger, hotkey: &str, matured: &Matured) -> Result<(), LedgerError> {
        ledger.mature_delayed(hotkey, matured)?;
        self.delayed -= 1;
        self.opened += matured.opened.len();
        self.rejected += matured.rejections.len();
        Ok(())
    }
}

/// Why maturing stopped. What was committed stays, the rest waits.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct MatureError(#[from] pub LedgerError);

impl Maturer {
    /// Opens by the signatures of `beacon`, decodes by `decoders`.
    #[must_use]
    pub fn new(config: Arc<Config>, beacon: BeaconClient, decoders: Decoders) -> Self {
        let eras = Eras::one(config.clone());
        Self { config, eras, beacon, decoders, pauses: BTreeMap::new() }
    }

    /// Goes on with another configuration, opening by the signatures of `beacon`. Payloads that wait are decoded by it
    /// too; what they hold for challenges that had no row when they were sampled is passed over.
    pub fn set_config(&mut self, config: Arc<Config>, beacon: BeaconClient) {
        self.decoders.set_config(config.clone());
        self.eras = Eras::one(config.clone());
        (self.config, self.beacon) = (config, beacon);
    }

    /// From now on, what waits is decoded by the configuration that counts for its own block.
    pub fn set_eras(&mut self, eras: Eras) {
        self.eras = eras;
    }

    /// Opens, oldest first, the blocks that matured by the block `newest` of Unix time `now`, until `until`. While the
    /// beacon gives no signatures, blocks wait for the next time; a payload whose round alone is not given waits alone,
    /// and is refused in the end. Needs a runtime with more than one thread.
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
        let is_due = |pending: &Pending| {
            pending.block <= newest - self.eras.at(pending.block).config.network.maturity()
        };
        let due: Vec<Pending> = ledger.pending()?.into_iter().filter(is_due).collect();
        let mut progress = Progress::default();
        let mut rounds = Rounds::new(self.beacon.clone(), now, until);
        for pending in due {
            if Instant::now() >= until {
                progress.waiting += 1;
                progress.why.get_or_insert_with(|| "the time of this step is over".into());
                continue;
            }
            match self.block(ledger, pending, now, &mut rounds).await? {
                Ok(matured) => {
                    progress.matured += 1;
                    progress.opened += matured.opened.len();
                    progress.rejected += matured.rejections.len();
                }
                Err(why) => {
                    progress.waiting += 1;
                    progress.why.get_or_insert(why);
                }
            }
        }
        self.delayed(ledger, now, &mut rounds, &mut progress).await?;
        Ok(progress)
    }

    /// One block: what its payloads have become, or what it waits for.
    async fn block(
        &mut self,
        ledger: &mut Ledger,
        pending: Pending,
        now: u64,
        rounds: &mut Rounds,
    ) -> Result<Result<Matured, String>, LedgerError> {
        let mut matured = self.matured(pending.ts, pending.block);
        let rules = self.rules();
        let mut sealed = Vec::new();
        for (hotkey, bytes) in ledger.payload_sizes(pending.ts)? {
            // All was checked when it was sampled; another program's ledger may hold anything.
            match round_of(ledger, pending.ts, &hotkey, bytes, &rules)? {
                Ok(round) => sealed.push((round, ToOpen { hotkey, bytes })),
                Err(refusal) => matured.rejections.push(refused(hotkey, Stage::Parse, &refusal)),
            }
        }
        let wanted: BTreeSet<u64> = sealed.iter().map(|(round, _)| *round).collect();
        let Found { signatures, missing } = match rounds.find(ledger, &wanted).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let mut payloads = Vec::with_capacity(sealed.len());
        for (round, payload) in sealed {
            if missing.contains_key(&round) {
                let Pending { ts, block } = pending;
                matured.delayed.push(Delayed { ts, block, hotkey: payload.hotkey, round, since: now });
            } else {
                payloads.push(payload);
            }
        }
        self.decoders.set_config(self.eras.at(pending.block).config.clone());
        let decoders = &mut self.decoders;
        let opened = block_in_place(|| open(ledger, decoders, &rules, &signatures, payloads, &mut matured))?;
        if let Err(DecoderError { ticker, reason }) = opened {
            return Ok(Err(format!("the plugin of {ticker}: {reason}")));
        }
        block_in_place(|| ledger.mature(&matured))?;
        Ok(Ok(matured))
    }

    /// Asks again for the rounds of payloads that wait alone, opens what can be opened, and refuses what has waited for
    /// too long.
    async fn delayed(
        &mut self,
        ledger: &mut Ledger,
        now: u64,
        rounds: &mut Rounds,
        progress: &mut Progress,
    ) -> Result<(), LedgerError> {
        progress.delayed = ledger.delayed()?;
        let known = ledger.delayed_rounds(rounds.newest())?;
        self.pauses.retain(|round, _| known.contains(round));
        let next = |round: &u64| self.pauses.get(round).map_or(0, |(next, _)| *next);
        let mut due: Vec<u64> = known.into_iter().filter(|round| next(round) <= now).collect();
        due.sort_by_key(next);
        let wanted: BTreeSet<u64> = due.into_iter().take(ASKED_AT_ONCE).collect();
        let Ok(Found { signatures, missing }) = rounds.find(ledger, &wanted).await? else { return Ok(()) };
        for round in missing.keys() {
            let pause = self.pauses.get(round).map_or(PAUSE.0, |(_, pause)| *pause);
            self.pauses.insert(*round, (now + pause, (2 * pause).min(PAUSE.1)));
        }
        let rules = self.rules();
        for &round in signatures.keys() {
            for Delayed { ts, block, hotkey, .. } in ledger.delayed_of_round(round)? {
                if rounds.is_over() {
                    return Ok(());
                }
                let mut matured = self.matured(ts, block);
                let payload = ToOpen { hotkey: hotkey.clone(), bytes: 0 };
                self.decoders.set_config(self.eras.at(block).config.clone());
                let decoders = &mut self.decoders;
                let opened = block_in_place(|| {
                    open(ledger, decoders, &rules, &signatures, vec![payload], &mut matured)
                })?;
                if let Err(DecoderError { ticker, reason }) = opened {
                    progress.why.get_or_insert_with(|| format!("the plugin of {ticker}: {reason}"));
                    return Ok(());
                }
                progress.end(ledger, &hotkey, &matured)?;
            }
        }
        let retained = u64::from(self.config.network.retain_blocks) * BLOCK_SECONDS;
        let patience = self.config.beacon.wait.max(retained);
        for Delayed { ts, block, hotkey, round, since } in
            ledger.delayed_since(now.saturating_sub(patience))?
        {
            let why = match missing.get(&round) {
                Some(why) => why.clone(),
                None if round > rounds.newest() => rounds::not_out(round),
                None => continue,
            };
            if rounds.is_over() {
                return Ok(());
            }
            let waited = now.saturating_sub(since);
            let mut matured = self.matured(ts, block);
            matured.rejections.push(Rejection {
                hotkey: hotkey.clone(),
                stage: Stage::Open,
                ticker: String::new(),
                code: "round_missing".into(),
                detail: format!(
                    "{why}; the payload waited for it for {waited} s, while the beacon gave others: seal for a round to come"
                ),
            });
            progress.end(ledger, &hotkey, &matured)?;
        }
        Ok(())
    }

    fn matured(&self, ts: i64, block: Block) -> Matured {
        Matured { ts, block, sidx: block.sidx(self.config.network.sample_every), ..Matured::default() }
    }

    /// What payloads are judged by when they are opened: a round that is not out yet is waited for.
    fn rules(&self) -> EnvelopeRules {
        EnvelopeRules::new(self.config.network.owner_key, u64::MAX, self.config.collect.plaintext_bytes)
    }
}

/// The round of a payload that waits. One that is too large is not even read.
fn round_of(
    ledger: &Ledger,
    ts: i64,
    hotkey: &str,
    bytes: usize,
    rules: &EnvelopeRules,
) -> Result<Result<u64, PayloadRejection>, LedgerError> {
    let limit = rules.limits.bytes;
    if bytes > limit {
        return Ok(Err(PayloadRejection::Json(JsonError::TooLarge { bytes, limit })));
    }
    let payload = ledger.payload(ts, hotkey)?.unwrap_or_default();
    Ok(Envelope::parse(&payload, hotkey, rules).map(|envelope| envelope.round()))
}
