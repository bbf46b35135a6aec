//! `ledger.toml`.

use super::{
    LARGEST_CONTENT, LARGEST_FACTS, LARGEST_FACTS_CONTENT, LARGEST_PART, LEDGER_INDEX, LedgerRejection,
    MOST_CHALLENGES, MOST_PARTS,
};
use crate::Digest;
use crate::signature::Signed;
use crate::text::{fault, read};
use mantis_config::{Block, Config};
use mantis_plugin_api::Storage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Characters of a ticker, an asset or a publisher's address.
const LONGEST: usize = 128;
/// Assets of a challenge.
const MOST_ASSETS: usize = 4096;

/// What is published of a ledger: what `ledger.toml` says, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerIndex {
    /// The subnet.
    pub netuid: u16,
    /// Who publishes it: the hotkey that signs, SS58.
    pub publisher: String,
    /// The number of this list: from 1 on, each one more than the one before.
    pub number: u32,
    /// When it was made, Unix seconds.
    pub unix: u64,
    /// Blocks between two rows.
    pub sample_every: u32,
    /// Blocks of a part: part `day` has those from `day * part_blocks` on.
    pub part_blocks: u32,
    /// Digest of the challenges, as they are listed here: what the stored numbers mean.
    pub layout: Digest,
    /// The facts from outside, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<ListedFacts>,
    /// The challenges whose rows are published, by ticker.
    #[serde(rename = "challenge", default)]
    pub challenges: Vec<ListedChallenge>,
    /// The parts, oldest first. Days of which there is nothing are left out.
    #[serde(rename = "part", default)]
    pub parts: Vec<ListedPart>,
}

/// What the numbers of a challenge's rows mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedChallenge {
    /// Its key in the ledger.
    pub ticker: String,
    /// Numbers per miner and asset.
    pub dim: u32,
    /// Its horizon in blocks.
    pub blocks_ahead: u32,
    /// `f16` or `f32`.
    pub storage: String,
    /// Blocks that payloads wait until they are opened.
    pub lag: u32,
    /// The challenge that holds its prices; none for its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_from: Option<String>,
    /// Assets in the order of storage; none for a single one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
}

/// A part: the rows of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedPart {
    /// Which day.
    pub day: i64,
    /// Whether nothing of it waits to be opened any more. Where something does, the part comes again, with more in it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The first block in it.
    pub first: i64,
    /// The last block in it.
    pub last: i64,
    /// Sampled blocks in it.
    pub blocks: u64,
    /// Rows in it, over all challenges.
    pub rows: u64,
    /// Bytes of its file.
    pub size: u64,
    /// Bytes once it is unpacked.
    pub bytes: u64,
    /// Digest of its file.
    pub sha256: Digest,
    /// Digest of what is in it: the same for every publisher who has the same rows.
    pub content: Digest,
}

/// The file of the facts from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedFacts {
    /// Bytes of the file.
    pub size: u64,
    /// Bytes once it is unpacked.
    pub bytes: u64,
    /// Digest of the file.
    pub sha256: Digest,
    /// Digest of what is in it.
    pub content: Digest,
}

/// A list that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub number: u32,
    /// The digest of its `ledger.toml`.
    pub digest: Digest,
}

impl ListedChallenge {
    /// The challenges of a configuration, by ticker.
    #[must_use]
    pub fn all_of(config: &Config) -> Vec<Self> {
        let network = &config.network;
        let lag = u32::try_from(network.maturity()).unwrap_or(u32::MAX);
        let listed = config.challenges.iter().map(|challenge| Self {
            ticker: challenge.ticker.clone(),
            dim: u32::try_from(challenge.dim).unwrap_or(u32::MAX),
            blocks_ahead: challenge.blocks_ahead,
            storage: challenge.storage.as_str().into(),
            lag,
            prices_from: challenge.prices_from.clone(),
            assets: challenge.assets.clone(),
        });
        let mut listed: Vec<Self> = listed.collect();
        listed.sort_by(|a, b| a.ticker.cmp(&b.ticker));
        listed
    }

    /// How its numbers are stored.
    #[must_use]
    pub fn storage(&self) -> Storage {
        if self.storage == Storage::F32.as_str() { Storage::F32 } else { Storage::F16 }
    }

    /// The digest of a list of them.
    #[must_use]
    pub fn digest(all: &[Self]) -> Digest {
        let mut text = String::new();
        for Self { ticker, dim, blocks_ahead, storage, lag, prices_from, assets } in all {
            let prices = prices_from.as_deref().unwrap_or_default();
            text += &format!("{ticker} {dim} {blocks_ahead} {storage} {lag} {prices:?} {assets:?}\n");
        }
        Digest::of(text.as_bytes())
    }

    fn fault(&self) -> Option<String> {
        let Self { ticker, dim, storage, prices_from, assets, .. } = self;
        let is_name = |name: &String| {
            (1..=LONGEST).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
        };
        if !is_name(ticker) || !assets.iter().chain(prices_from).all(is_name) {
            return Some("a [[challenge]] has a ticker or an asset that is no name".into());
        }
        if *dim == 0 || *dim > 1_000_000 || assets.len() > MOST_ASSETS {
            return Some(format!("{ticker} has {dim} numbers for each of {} assets", assets.len()));
        }
        let known = [Storage::F16.as_str(), Storage::F32.as_str()];
        (!known.contains(&storage.as_str()))
            .then(|| format!("{ticker} has another `storage` than f16 or f32"))
    }
}

impl ListedPart {
    /// The name of its file in the publisher's place.
    #[must_use]
    pub fn name(&self) -> String {
        format!("parts/{}-{}.zst", self.day, hex::encode(self.sha256.0))
    }

    /// Its last block.
    #[must_use]
    pub fn last(&self) -> Block {
        Block(self.last)
    }

    fn fault(&self, part_blocks: u32) -> Option<String> {
        let Self { day, first, last, blocks, rows, size, bytes, .. } = *self;
        let width = i64::from(part_blocks);
        let begins = day.checked_mul(width).filter(|_| day >= 0);
        let ends = begins.and_then(|begins| begins.checked_add(width));
        let fits =
            begins.zip(ends).is_some_and(|(begins, ends)| begins <= first && first <= last && last < ends);
        if !fits {
            return Some(format!("part {day} has the blocks {first} to {last}, which are not that day's"));
        }
        if size == 0 || size > LARGEST_PART || bytes == 0 || bytes > LARGEST_CONTENT {
            return Some(format!(
                "part {day} has {size} bytes, and {bytes} unpacked; {LARGEST_PART} and {LARGEST_CONTENT} are allowed"
            ));
        }
        let most = u64::from(part_blocks);
        (blocks > most || rows > most * MOST_CHALLENGES as u64)
            .then(|| format!("part {day} has {blocks} blocks and {rows} rows, which a day has no room for"))
    }
}

impl ListedFacts {
    /// The name of the file in the publisher's place.
    #[must_use]
    pub fn name(&self) -> String {
        format!("parts/facts-{}.zst", hex::encode(self.sha256.0))
    }

    fn fault(&self) -> Option<String> {
        let Self { size, bytes, .. } = *self;
        (size == 0 || size > LARGEST_FACTS || bytes == 0 || bytes > LARGEST_FACTS_CONTENT).then(|| {
            format!(
                "the facts have {size} bytes, and {bytes} unpacked; {LARGEST_FACTS} and {LARGEST_FACTS_CONTENT} are allowed"
            )
        })
    }
}

impl LedgerIndex {
    /// Reads the bytes of a `ledger.toml`.
    ///
    /// # Errors
    /// [`LedgerRejection::Text`], of what is wrong first.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerRejection> {
        let index: Self = read(bytes, LEDGER_INDEX)?;
        match index.fault() {
            None => Ok(index),
            Some(what) => Err(fault(LEDGER_INDEX, None, &what).into()),
        }
    }

    /// Reads the bytes of a `ledger.toml` that a publisher has signed, for a subnet and its `sample_every`, after one that was
    /// seen. Nothing of it is read before its signature is found to be the publisher's.
    ///
    /// # Errors
    /// [`LedgerRejection`]: another's list, another subnet's, an old one, a number that is used again, or no list.
    pub fn judge(
        bytes: &[u8],
        signature: &[u8],
        (publisher, key): (&str, &[u8; 32]),
        (netuid, sample_every): (u16, u32),
        seen: Option<Seen>,
    ) -> Result<Self, LedgerRejection> {
        if !Signed::Ledger.is_by(key, bytes, signature) {
            return Err(LedgerRejection::Signature { publisher: publisher.into() });
        }
        let index = Self::parse(bytes)?;
        if index.publisher != publisher {
            return Err(LedgerRejection::Publisher { found: index.publisher, expected: publisher.into() });
        }
        if index.netuid != netuid {
            return Err(LedgerRejection::Netuid { found: index.netuid, ours: netuid });
        }
        if index.sample_every != sample_every {
            return Err(LedgerRejection::SampleEvery { found: index.sample_every, ours: sample_every });
        }
        let Some(Seen { number: known, digest }) = seen else { return Ok(index) };
        if index.number < known {
            return Err(LedgerRejection::Rollback { newest: index.number, known });
        }
        let found = Digest::of(bytes);
        if index.number == known && found != digest {
            return Err(LedgerRejection::Reused { number: known, found, known: digest });
        }
        Ok(index)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`LedgerRejection::Text`] where [`LedgerIndex::parse`] would refuse it.
    pub fn to_text(&self) -> Result<String, LedgerRejection> {
        let text = toml::to_string(self).map_err(|error| fault(LEDGER_INDEX, None, &error.to_string()))?;
        Self::parse(text.as_bytes()).map(|_| text)
    }

    /// What cannot be, in words.
    fn fault(&self) -> Option<String> {
        let Self { publisher, number, sample_every, part_blocks, layout, facts, challenges, parts, .. } =
            self;
        if *number == 0 {
            return Some("`number` is 0; the first list is 1".into());
        }
        if publisher.is_empty()
            || publisher.len() > LONGEST
            || !publisher.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return Some("`publisher` is no hotkey".into());
        }
        if *sample_every == 0 || *part_blocks == 0 || *part_blocks > 1_000_000 || part_blocks < sample_every {
            return Some(format!("`part_blocks` is {part_blocks} and `sample_every` {sample_every}"));
        }
        if challenges.len() > MOST_CHALLENGES || parts.len() > MOST_PARTS {
            return Some(format!(
                "it has {} challenges and {} parts; {MOST_CHALLENGES} and {MOST_PARTS} are allowed",
                challenges.len(),
                parts.len()
            ));
        }
        if let Some(what) = challenges.iter().find_map(ListedChallenge::fault) {
            return Some(what);
        }
        let tickers: BTreeSet<&str> = challenges.iter().map(|challenge| challenge.ticker.as_str()).collect();
        if tickers.len() != challenges.len() {
            return Some("a ticker stands in it twice".into());
        }
        if *layout != ListedChallenge::digest(challenges) {
            return Some("`layout` is not the digest of the [[challenge]]s".into());
        }
        if let Some(pair) = parts.windows(2).find(|pair| pair[0].day >= pair[1].day) {
            return Some(format!("part {} follows {}: each day once, in order", pair[1].day, pair[0].day));
        }
        let of_parts = parts.iter().find_map(|part| part.fault(*part_blocks));
        of_parts.or_else(|| facts.as_ref().and_then(ListedFacts::fault))
    }
}
