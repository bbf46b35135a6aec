//! One round of a miner.

use super::{Embeddings, EmbeddingsError};
use mantis_network::bucket::{Bucket, BucketError};
use mantis_network::chain::{Chain, ChainError};
use mantis_network::collect::{UrlRejection, UrlRules, check_url};
use serde_json::{Map, Value};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// Seals what a miner submits.
pub trait Seal: Send + Sync {
    /// The payload of `plaintext` for `hotkey`, which cannot be opened before `opens` (Unix seconds).
    ///
    /// # Errors
    /// What cannot be sealed, in words for the miner.
    fn seal(&self, plaintext: &Map<String, Value>, hotkey: &str, opens: u64) -> Result<Vec<u8>, String>;
}

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
}

/// Why a round failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MinerError {
    /// No embeddings.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
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
    /// The chain cannot be read, or refuses the URL.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Uploader<'_> {
    /// Reads, seals and uploads; then commits the URL, where that is asked for and the chain has another.
    ///
    /// After a round without a fault, the URL is on the chain: later ones may do without `commit`.
    ///
    /// # Errors
    /// What went wrong first. A fault of the chain comes after the upload.
    pub async fn once(&self) -> Result<Uploaded, MinerError> {
        let url = self.bucket.url_of(&self.hotkey);
        if let Some((_, rules)) = &self.commit {
            // Before anything is done: no round would help.
            let checked = check_url(&url, &self.hotkey, rules);
            checked.map_err(|fault| MinerError::Url { url: url.clone(), fault })?;
        }
        let plaintext = self.embeddings.read(&self.hotkey).await?;
        let opens = unix_now() + self.lock_seconds;
        let sealed = self.seal.seal(&plaintext, &self.hotkey, opens);
        let payload = sealed.map_err(|reason| MinerError::Seal { reason })?;
        let bytes = payload.len();
        self.bucket.put(&self.hotkey, payload).await?;
        let mut committed = false;
        if let Some((chain, _)) = &self.commit
            && chain.commitments().await?.get(&self.hotkey) != Some(&url)
        {
            chain.commit(&url).await?;
            committed = true;
        }
        Ok(Uploaded { url, bytes, opens, committed })
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}
