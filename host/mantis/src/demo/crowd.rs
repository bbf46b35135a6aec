//! What simulated miners do in a live world: seal, upload, or misbehave.

use super::world::DemoWorld;
use crate::simulation::{Malformed, MinerKind, SimulatedMiner};
use mantis_config::{Challenge, Config, Network};
use mantis_ledger::SampledBlock;
use mantis_network::bucket::{Bucket, BucketError};
use mantis_network::chain::{BLOCK_SECONDS, Head};
use mantis_payload::{OwnerSecret, SealError, SealOptions, seal};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The miners of a live world.
pub struct Crowd<'a> {
    world: &'a DemoWorld,
    miners: &'a [SimulatedMiner],
    bucket: Bucket,
    seed: u64,
    /// What each miner's file holds now, by hotkey.
    files: BTreeMap<String, Vec<u8>>,
}

impl<'a> Crowd<'a> {
    /// Miners who have uploaded nothing yet.
    ///
    /// # Errors
    /// If the store cannot be set up.
    pub fn new(world: &'a DemoWorld, miners: &'a [SimulatedMiner], seed: u64) -> Result<Self, BucketError> {
        Ok(Self { world, miners, bucket: world.bucket()?, seed, files: BTreeMap::new() })
    }

    /// Every miner acts in a row: what is to be served from now on is sealed and, if `upload`, uploaded over HTTP;
    /// else it is put into the store directly.
    ///
    /// # Errors
    /// If the store refuses an upload.
    pub async fn act(&mut self, step: &SampledBlock, head: Head, upload: bool) -> Result<(), BucketError> {
        let config = self.world.config();
        for (m, miner) in self.miners.iter().enumerate() {
            let Some(file) = self.file(&config, m, miner, step, head) else { continue };
            if self.files.get(&miner.hotkey) == Some(&file) {
                continue;
            }
            if upload {
                self.bucket.put(&miner.hotkey, file.clone()).await?;
            } else {
                self.world.store.objects().put(&miner.hotkey, file.clone());
            }
            self.files.insert(miner.hotkey.clone(), file);
        }
        Ok(())
    }

    /// The file that a miner has up in this row; `None` leaves the one before.
    fn file(
        &self,
        config: &Config,
        m: usize,
        miner: &SimulatedMiner,
        step: &SampledBlock,
        head: Head,
    ) -> Option<Vec<u8>> {
        let owner = &config.network.owner_key;
        let round = self.world.scheme().round_at(head.unix + lock_seconds(&config.network));
        let seal_for = |owner: &[u8; 32], plaintext: &Map<String, Value>| {
            self.seal(owner, m, miner, plaintext, step, round)
        };
        let seal_as = |plaintext: &Map<String, Value>| seal_for(owner, plaintext);
        let even = step.sidx.0 % 2 == 0;
        match miner.kind {
            MinerKind::Copier { of } => self.files.get(&self.miners.get(of)?.hotkey).cloned(),
            MinerKind::Stale if self.files.contains_key(&miner.hotkey) => None,
            MinerKind::Zeros => seal_as(&all_zero(config)).ok(),
            MinerKind::Malformed(how) => {
                let mut file = seal_as(&all_zero(config)).ok()?;
                match (how, even) {
                    (Malformed::TruncatedOrPage, true) => file.truncate(file.len() / 2),
                    (Malformed::TruncatedOrPage, false) => file = b"<html>Not found</html>".to_vec(),
                    (Malformed::VersionOrOwner, true) => file = edited(&file, |f| f["v"] = json!(1))?,
                    (Malformed::VersionOrOwner, false) => {
                        let other = OwnerSecret::new([7; 32]).public_key();
                        file = seal_for(&other, &all_zero(config)).ok()?;
                    }
                    (Malformed::ChangedOrText, true) => {
                        file = edited(&file, |f| f["C"]["ct"] = json!("00".repeat(80)))?;
                    }
                    (Malformed::ChangedOrText, false) => {
                        let words = config.challenges.iter();
                        let words = words.map(|c| (c.ticker.clone(), json!(["up", "down"])));
                        file = seal_as(&words.collect()).ok()?;
                    }
                }
                Some(file)
            }
            _ => {
                let plaintext = plaintext(config, &miner.hotkey, step);
                if plaintext.is_empty() { None } else { seal_as(&plaintext).ok() }
            }
        }
    }

    fn seal(
        &self,
        owner: &[u8; 32],
        m: usize,
        miner: &SimulatedMiner,
        plaintext: &Map<String, Value>,
        step: &SampledBlock,
        round: u64,
    ) -> Result<Vec<u8>, SealError> {
        // The same row gives the same file, whenever it is played.
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed ^ ((m as u64) << 48) ^ step.sidx.0.unsigned_abs());
        seal(plaintext, &miner.hotkey, round, owner, self.world.scheme(), SealOptions::default(), &mut rng)
    }
}

/// Seconds for which miners lock their payloads: as the network suggests, but not beyond the block in which they are opened.
fn lock_seconds(network: &Network) -> u64 {
    u64::from(network.suggested_lock).min(network.maturity().unsigned_abs() * BLOCK_SECONDS)
}

/// What a miner predicts in a row, challenge by challenge.
fn plaintext(config: &Config, hotkey: &str, step: &SampledBlock) -> Map<String, Value> {
    let challenge = |ticker: &str| config.challenges.iter().find(|c| c.ticker == ticker);
    let of = |record: &mantis_ledger::NewRow| {
        let (_, vector) = record.submissions.iter().find(|(other, _)| other == hotkey)?;
        Some((record.ticker.clone(), submission(challenge(&record.ticker)?, &vector.to_f32())))
    };
    step.rows.iter().filter_map(of).collect()
}

fn all_zero(config: &Config) -> Map<String, Value> {
    let challenges = config.challenges.iter();
    challenges.map(|c| (c.ticker.clone(), submission(c, &vec![0.0; c.storage_dim()]))).collect()
}

/// Numbers as a miner writes them: by asset, where the challenge has several.
fn submission(challenge: &Challenge, vector: &[f32]) -> Value {
    let numbers = |part: &[f32]| json!(part.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>());
    if challenge.assets.len() < 2 {
        return numbers(vector);
    }
    let of = |(asset, part): (&String, &[f32])| match part {
        [one] => (asset.clone(), json!(f64::from(*one))),
        _ => (asset.clone(), numbers(part)),
    };
    Value::Object(challenge.assets.iter().zip(vector.chunks(challenge.dim.max(1))).map(of).collect())
}

/// A payload with something changed after sealing.
fn edited(file: &[u8], edit: impl FnOnce(&mut Value)) -> Option<Vec<u8>> {
    let mut payload = serde_json::from_slice(file).ok()?;
    edit(&mut payload);
    serde_json::to_vec(&payload).ok()
}
