//! The newest list that any mirror gives.

use super::error::CatchUpError;
use crate::unix;
use mantis_config::{Block, Config, Mirrors};
use mantis_ledger::Layout;
use mantis_ledger::published::{Day, SeenList};
use mantis_network::ledger_mirror::{LedgerMirror, Patience};
use mantis_network::releases::SignedBytes;
use mantis_network::wallet::public_key;
use mantis_release::Digest;
use mantis_release::ledger::{LedgerIndex, LedgerRejection, Seen};
use std::collections::BTreeSet;
use std::time::Duration;

/// Pause before a list is asked for again whose signature is another's: it may just be replaced.
const REPLACED: Duration = Duration::from_secs(1);
/// Seconds that a list may have been made ahead of our clock.
const AHEAD: u64 = 3600;

/// Where a published ledger is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorSource {
    /// Where the list lies at each mirror.
    pub urls: Vec<String>,
    /// Who publishes it, SS58.
    pub publisher: String,
    /// Days back from the newest part that are wanted.
    pub days: u32,
    /// Whether parts are fetched also of which nothing is missing here, to be compared.
    pub all: bool,
    /// How long a mirror is waited for.
    pub patience: Patience,
}

impl MirrorSource {
    /// What a configuration says.
    #[must_use]
    pub fn from_config(config: &Config, mirrors: &Mirrors) -> Self {
        Self {
            urls: mirrors.urls.clone(),
            publisher: mirrors.publisher.clone(),
            days: mirrors.days.unwrap_or_else(|| Self::usual_days(config)),
            all: false,
            patience: Patience::default(),
        }
    }

    /// The days that scoring looks back.
    #[must_use]
    pub fn usual_days(config: &Config) -> u32 {
        let rows = config.challenges.iter().filter_map(|challenge| challenge.history_rows).max().unwrap_or(0);
        let blocks = u64::from(rows) * u64::from(config.network.sample_every);
        let days = u32::try_from(blocks.div_ceil(u64::from(Day::BLOCKS))).unwrap_or(u32::MAX);
        config.network.max_days.max(days)
    }
}

/// A published ledger, as the newest sound list of all mirrors has it.
#[derive(Debug)]
pub struct Published {
    /// The list.
    pub index: LedgerIndex,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Mirrors that were refused or did not answer, each with the reason.
    pub refused: Vec<String>,
    pub(super) source: MirrorSource,
    /// All mirrors, those that gave this list first.
    pub(super) mirrors: Vec<LedgerMirror>,
}

impl Published {
    /// Asks all mirrors for the list, and takes the newest one that is signed by the publisher, for this subnet, not older than
    /// one that was seen, with rows that this configuration reads as what they are, and none after the `newest` block that there
    /// can be.
    ///
    /// # Errors
    /// [`CatchUpError`].
    pub async fn find(
        source: &MirrorSource,
        config: &Config,
        seen: Option<SeenList>,
        newest: Block,
    ) -> Result<Self, CatchUpError> {
        let key = public_key(&source.publisher)?;
        let network = (config.network.netuid, config.network.sample_every);
        let seen = seen.map(|seen| Seen { number: seen.number, digest: Digest(seen.sha256) });
        let judge = |list: &SignedBytes| {
            let index =
                LedgerIndex::judge(&list.bytes, &list.signature, (&source.publisher, &key), network, seen)?;
            Ok::<_, LedgerRejection>((index, Digest::of(&list.bytes)))
        };
        let mut refused = Vec::new();
        let mut known = BTreeSet::new();
        let mut tasks = Vec::new();
        for url in source.urls.iter().filter(|url| known.insert(url.as_str())) {
            match LedgerMirror::new(url, source.patience) {
                Err(fault) => refused.push(format!("{}: {fault}", mantis_config::bare_url(url))),
                Ok(mirror) => {
                    let asked = mirror.clone();
                    let task = tokio::spawn(async move { asked.index().await });
                    tasks.push((mirror, task));
                }
            }
        }
        // Newest first, each with the mirrors that gave it.
        let mut found: Vec<(LedgerIndex, Digest, LedgerMirror)> = Vec::new();
        let mut others = Vec::new();
        for (mirror, task) in tasks {
            let host = mirror.host();
            let mut judged = match task.await {
                Ok(list) => list.and_then(|list| judge(&list)),
                Err(error) => Err(LedgerRejection::Http { what: host.clone(), reason: error.to_string() }),
            };
            if matches!(judged, Err(LedgerRejection::Signature { .. })) {
                tokio::time::sleep(REPLACED).await;
                judged = mirror.index().await.and_then(|list| judge(&list));
            }
            match judged {
                Ok((index, digest)) => found.push((index, digest, mirror)),
                Err(rejection) => {
                    refused.push(format!("{host}: {rejection}"));
                    others.push(mirror);
                }
            }
        }
        found.sort_by_key(|(index, ..)| std::cmp::Reverse(index.number));
        let Some((index, digest)) = found.first().map(|(index, digest, _)| (index.clone(), *digest)) else {
            return Err(CatchUpError::NoList { reasons: refused });
        };
        check(&index, config, newest)?;
        // A publisher that signs two lists with one number cannot be gone by at all.
        if let Some((_, other, _)) =
            found.iter().find(|(other, sum, _)| other.number == index.number && *sum != digest)
        {
            let number = index.number;
            return Err(LedgerRejection::Reused { number, found: *other, known: digest }.into());
        }
        let mirrors = found.into_iter().map(|(.., mirror)| mirror).chain(others).collect();
        Ok(Self { index, digest, refused, source: source.clone(), mirrors })
    }
}

/// Whether a list that is its publisher's can be gone by here.
fn check(index: &LedgerIndex, config: &Config, newest: Block) -> Result<(), LedgerRejection> {
    if index.part_blocks != Day::BLOCKS {
        return Err(LedgerRejection::PartBlocks { found: index.part_blocks, ours: Day::BLOCKS });
    }
    if let Some(last) = index.parts.last().map(|part| part.last()).filter(|last| *last > newest) {
        return Err(LedgerRejection::Future { last, newest });
    }
    if index.unix > unix() + AHEAD {
        tracing::warn!(
            made = index.unix,
            "the list of the published ledger was made later than it is by this clock"
        );
    }
    for listed in &index.challenges {
        let Some(challenge) = config.challenges.iter().find(|challenge| challenge.ticker == listed.ticker)
        else {
            continue;
        };
        let theirs = Layout {
            dim: listed.dim as usize,
            assets: listed.assets.clone(),
            sample_every: index.sample_every,
            prices_from: listed.prices_from.clone(),
            storage: listed.storage(),
        };
        if let Some(reason) = theirs.differs(&Layout::from_config(challenge, config.network.sample_every)) {
            return Err(LedgerRejection::Layout { ticker: listed.ticker.clone(), reason });
        }
    }
    Ok(())
}
