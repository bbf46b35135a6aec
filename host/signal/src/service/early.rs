//! What miners sealed for the owner, before its round is out.

use super::desk::digest_of;
use crate::store::{Digest, Early, Store};
use mantis_config::{Config, Sidx};
use mantis_ledger::{Ledger, LedgerError, Pending, Row, Vector};
use mantis_payload::{Envelope, EnvelopeRules, OwnerSecret, Plaintext};
use mantis_scoring::worker::Launcher;
use mantis_validator::Decoders;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Bytes of the payloads that are opened at once, unless one alone has more.
const BATCH: usize = 2 << 20;

/// Opens payloads with the owner's key.
pub struct OwnerEye {
    secret: OwnerSecret,
    rules: EnvelopeRules,
    config: Arc<Config>,
    decoders: Decoders,
}

/// What was found in the payloads of one row. It is in memory alone.
#[derive(Debug, Default)]
pub struct Opened {
    /// Numbers by challenge and hotkey, rounded as the ledger will store them.
    pub vectors: BTreeMap<String, BTreeMap<String, Vec<f32>>>,
    /// Whose owner's part could not be opened, and why.
    pub unopened: BTreeMap<String, String>,
    /// Challenges whose plugin cannot be used, and why.
    pub failed: BTreeMap<String, String>,
}

impl OwnerEye {
    /// Opens with a secret, whose public key must be the one that miners seal for.
    ///
    /// # Errors
    /// If it is another's.
    pub fn new(secret: OwnerSecret, config: Arc<Config>, launcher: Launcher) -> anyhow::Result<Self> {
        let key = config.network.owner_key;
        if secret.public_key() != key {
            anyhow::bail!(
                "the owner's secret is not that of `network.owner_key` ({}) in {}; give the secret of that key",
                hex::encode(key),
                config.file.display()
            );
        }
        // Whatever round it is sealed for: the owner need not wait.
        let rules = EnvelopeRules::new(key, u64::MAX, config.collect.plaintext_bytes);
        Ok(Self { secret, rules, config: config.clone(), decoders: Decoders::new(config, launcher) })
    }

    /// Goes on with another configuration.
    pub fn set_config(&mut self, config: Arc<Config>) {
        self.rules = EnvelopeRules::new(config.network.owner_key, u64::MAX, config.collect.plaintext_bytes);
        self.decoders.set_config(config.clone());
        self.config = config;
    }

    /// Opens what waits of a row, a few payloads at a time.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn open(&mut self, ledger: &Ledger, row: Pending) -> Result<Opened, LedgerError> {
        let mut opened = Opened::default();
        self.decoders.set_config(self.config.clone());
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        for (hotkey, size) in ledger.payload_sizes(row.ts)? {
            if size > self.rules.limits.bytes {
                opened.unopened.insert(hotkey, format!("a payload of {size} bytes"));
                continue;
            }
            if bytes.saturating_add(size) > BATCH {
                self.decode(std::mem::take(&mut batch), &mut opened);
                bytes = 0;
            }
            bytes = bytes.saturating_add(size);
            // It may have been opened by the validator meanwhile.
            let Some(payload) = ledger.payload(row.ts, &hotkey)? else { continue };
            let open = || Envelope::parse(&payload, &hotkey, &self.rules)?.open_as_owner(&self.secret);
            match catch_unwind(AssertUnwindSafe(open)) {
                Ok(Ok(plaintext)) => batch.push((hotkey, plaintext)),
                Ok(Err(refusal)) => {
                    opened.unopened.insert(hotkey, refusal.to_string());
                }
                Err(_) => {
                    opened
                        .unopened
                        .insert(hotkey, "opening it failed, which is a fault of this program".into());
                }
            }
        }
        self.decode(batch, &mut opened);
        Ok(opened)
    }

    /// Decodes what was opened. A plugin that cannot be used costs its own challenge only: the others are decoded without it.
    fn decode(&mut self, batch: Vec<(String, Plaintext)>, opened: &mut Opened) {
        loop {
            match self.decoders.decode(batch.clone()) {
                Ok(vectors) => {
                    for (ticker, vectors) in vectors.by_ticker {
                        let of_ticker = opened.vectors.entry(ticker).or_default();
                        let numbers = vectors.into_iter().map(|(hotkey, vector)| (hotkey, vector.to_f32()));
                        of_ticker.extend(numbers);
                    }
                    return;
                }
                Err(error) => {
                    let mut rest = (*self.config).clone();
                    let is_new = opened.failed.insert(error.ticker, error.reason).is_none();
                    rest.challenges.retain(|challenge| !opened.failed.contains_key(&challenge.ticker));
                    self.decoders.set_config(Arc::new(rest));
                    if !is_new {
                        return;
                    }
                }
            }
        }
    }
}

/// What is kept of an early row, to be compared when its round is out: digests, no numbers. Where the owner's part could not
/// be opened, `expected` says of which challenges the miner's numbers are missed.
pub(super) fn digests<'a>(row: Sidx, opened: &Opened, expected: impl Fn(&str) -> Vec<&'a str>) -> Vec<Early> {
    let early = |ticker: &str, hotkey: &str, digest| Early {
        sidx: row.0,
        ticker: ticker.into(),
        hotkey: hotkey.into(),
        digest,
    };
    let mut all = Vec::new();
    for (ticker, vectors) in &opened.vectors {
        // One that counts as absent is not stored either.
        let present = vectors.iter().filter(|(_, numbers)| numbers.iter().any(|x| *x != 0.0));
        all.extend(present.map(|(hotkey, numbers)| early(ticker, hotkey, digest_of(numbers))));
    }
    for hotkey in opened.unopened.keys() {
        all.extend(expected(hotkey).into_iter().map(|ticker| early(ticker, hotkey, Digest([0; 32]))));
    }
    all
}

/// Compares what was opened early with what the ledger has of rows whose payloads are open now. Gives the rows judged, and
/// the miners, by challenge, who told the owner and everybody different things.
///
/// # Errors
/// If the ledger or the store fails.
pub fn judge_early(
    config: &Config,
    ledger: &Ledger,
    store: &Store,
    most: usize,
) -> anyhow::Result<(usize, Vec<(String, String)>)> {
    let every = config.network.sample_every;
    let waiting: BTreeSet<Sidx> = ledger.pending()?.iter().map(|row| row.block.sidx(every)).collect();
    let newest = ledger.last_block()?.map_or(i64::MIN, |block| block.sidx(every).0);
    let (mut rows, mut differ) = (0, Vec::new());
    for sidx in store.early_rows(newest, most)? {
        if waiting.contains(&Sidx(sidx)) {
            continue;
        }
        let mut later = Vec::new();
        for challenge in &config.challenges {
            let ticker = &challenge.ticker;
            let range = Sidx(sidx)..=Sidx(sidx);
            ledger.rows(
                ticker,
                range,
                challenge.storage_dim(),
                |row: Row<'_>| -> Result<_, LedgerError> {
                    for (hotkey, bytes) in row.submissions.iter() {
                        let numbers = Vector::from_bytes(bytes, row.submissions.storage()).to_f32();
                        let digest = digest_of(&numbers);
                        later.push(Early { sidx, ticker: ticker.clone(), hotkey: hotkey.into(), digest });
                    }
                    Ok(ControlFlow::Continue(()))
                },
            )?;
        }
        differ.extend(store.judge_early(sidx, &later)?);
        rows += 1;
    }
    Ok((rows, differ))
}
