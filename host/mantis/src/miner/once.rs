//! One round of a miner.

use super::{Embeddings, EmbeddingsError};
use mantis_network::bucket::{Bucket, BucketError};
use mantis_network::chain::{Chain, ChainError};
use mantis_network::collect::{Collector, UrlRejection, UrlRules, check_url};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// Seals what a miner submits.
pub trait Seal: Send + Sync {
    /// The payload of `plaintext` for `hotkey`, which cannot be opened before `opens` (Unix seconds).
    ///
    /// # Errors
    /// What cannot be sealed, in words for the miner.
    fn seal(&self, plaintext: &Map<String, Value>, hotkey: &str, opens: u64) -> Result<Vec<u8>, String>;
}

/// Looks at what a miner submits before it is sealed.
pub trait Check: Send + Sync {
    /// What is worth a word, and harms nothing.
    ///
    /// # Errors
    /// Why validators would not store it as it is.
    fn check(&self, plaintext: &Map<String, Value>) -> Result<Vec<String>, String>;
}

/// What is looked at beside the work itself, so that nothing is uploaded in vain.
pub struct Checks<'a> {
    /// The plaintext.
    pub plaintext: &'a dyn Check,
    /// The rules that validators judge the URL by.
    pub rules: UrlRules,
    /// Reads what was uploaded as validators do.
    pub readers: Collector,
}

/// Pauses before an upload is tried again where the store may come round, and before the public URL is read again:
/// some stores take a moment.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// A miner: everything that a round needs.
pub struct Uploader<'a> {
    /// Its hotkey, SS58.
    pub hotkey: String,
    /// Where its embeddings come from.
    pub embeddings: Embeddings,
    /// Seconds from now until its payload can be opened.
    pub lock_seconds: u64,
    /// How it seals.
    pub seal: &'a dyn Seal,
    /// Where it uploads.
    pub bucket: Bucket,
    /// Where it commits its URL, and the rules that validators judge the URL by; without it, nothing is committed.
    pub commit: Option<(&'a dyn Chain, UrlRules)>,
    /// What is checked; without it, all that can be sealed is uploaded.
    pub checks: Option<Checks<'a>>,
}

/// What a round did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Where the payload lies.
    pub url: String,
    /// Its size.
    pub bytes: usize,
    /// When it can be opened, Unix seconds.
    pub opens: u64,
    /// Whether the URL was committed in this round; false where the chain had it already.
    pub committed: bool,
    /// What the look at the plaintext found worth a word.
    pub warnings: Vec<String>,
}

/// Why a round failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MinerError {
    /// No embeddings.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
    /// Validators would not store them as they are.
    #[error("{reason}; nothing was uploaded: correct it, or upload it all the same with --force")]
    Unfit {
        /// Why not.
        reason: String,
    },
    /// They cannot be sealed.
    #[error("the embeddings cannot be sealed: {reason}")]
    Seal {
        /// Why not.
        reason: String,
    },
    /// Not stored.
    #[error(transparent)]
    Store(#[from] BucketError),
    /// Validators would not follow the URL, so it is not committed.
    #[error("validators would not fetch {url}: {fault}")]
    Url {
        /// Our URL.
        url: String,
        /// The rule that it breaks.
        fault: UrlRejection,
    },
    /// It was uploaded, and is not what everyone reads.
    #[error("uploaded, but validators would read something else at {url}: {found}")]
    ReadBack {
        /// The public URL.
        url: String,
        /// What is there.
        found: String,
    },
    /// The chain cannot be read, or refuses the URL.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Uploader<'_> {
    /// Reads, looks at it, seals and uploads; then commits the URL, where that is asked for and the chain has another, and
    /// reads the file as everyone does.
    ///
    /// After a round without a fault, the URL is on the chain: later ones may do without `commit`.
    ///
    /// # Errors
    /// What went wrong first. A fault of the chain, and of what is read back, comes after the upload.
    pub async fn once(&self) -> Result<Uploaded, MinerError> {
        let url = self.bucket.url_of(&self.hotkey);
        let rules = self.commit.iter().map(|(_, rules)| rules).chain(self.checks.iter().map(|c| &c.rules));
        for rules in rules {
            // Before anything is done: no round would help.
            let checked = check_url(&url, &self.hotkey, rules);
            checked.map_err(|fault| MinerError::Url { url: url.clone(), fault })?;
        }
        let plaintext = self.embeddings.read(&self.hotkey).await?;
        let warnings = match &self.checks {
            Some(checks) => {
                checks.plaintext.check(&plaintext).map_err(|reason| MinerError::Unfit { reason })?
            }
            None => Vec::new(),
        };
        let opens = unix_now() + self.lock_seconds;
        let sealed = self.seal.seal(&plaintext, &self.hotkey, opens);
        let payload = sealed.map_err(|reason| MinerError::Seal { reason })?;
        self.upload(&payload).await?;
        let mut committed = false;
        if let Some((chain, _)) = &self.commit
            && chain.commitments(None).await?.get(&self.hotkey) != Some(&url)
        {
            chain.commit(&url).await?;
            committed = true;
        }
        if let Some(checks) = &self.checks {
            self.read_back(&checks.readers, &url, &payload).await?;
        }
        Ok(Uploaded { url, bytes: payload.len(), opens, committed, warnings })
    }

    /// Uploads, more than once where the store may come round.
    async fn upload(&self, payload: &[u8]) -> Result<(), BucketError> {
        for pause in PAUSES {
            match self.bucket.put(&self.hotkey, payload.to_vec()).await {
                Err(fault) if fault.passes() => tokio::time::sleep(pause).await,
                settled => return settled,
            }
        }
        self.bucket.put(&self.hotkey, payload.to_vec()).await
    }

    /// Reads the file at its public URL and compares it with what was uploaded.
    async fn read_back(&self, readers: &Collector, url: &str, payload: &[u8]) -> Result<(), MinerError> {
        let commitments = BTreeMap::from([(self.hotkey.clone(), url.to_owned())]);
        let hotkeys = [self.hotkey.clone()];
        let mut pauses = PAUSES.into_iter();
        loop {
            let read = readers.round(&commitments, &hotkeys).await.pop().map(|read| read.outcome);
            let found = match read {
                Some(Ok(body)) if body == payload => return Ok(()),
                Some(Ok(body)) => format!(
                    "a file of {} bytes, not the one of {} bytes that was sent: does a cache lie between?",
                    body.len(),
                    payload.len()
                ),
                Some(Err(fault)) => {
                    format!("{fault}; make the bucket public, and --public-url its public address")
                }
                None => "nothing".into(),
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(MinerError::ReadBack { url: url.into(), found }),
            }
        }
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}
