//! Why a published ledger is not taken.

use crate::{Digest, ReleaseRejection};
use mantis_config::Block;
use thiserror::Error;

/// Why a published ledger, a part of it or the list of its parts is not taken: a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it, and the fields are named as there")]
pub enum LedgerRejection {
    #[error(transparent)]
    Text(#[from] ReleaseRejection),

    #[error(
        "ledger.toml is not signed by the publisher {publisher}: it is another's, or was changed on the way; ask another mirror"
    )]
    Signature { publisher: String },

    #[error(
        "ledger.toml says that {found} publishes it, and {expected} is wanted: check the publisher's hotkey and the URL"
    )]
    Publisher { found: String, expected: String },

    #[error("ledger.toml is for subnet {found}, and the configuration is of subnet {ours}")]
    Netuid { found: u16, ours: u16 },

    #[error(
        "the published ledger has a row every {found} blocks, and the configuration says `sample_every` {ours}"
    )]
    SampleEvery { found: u32, ours: u32 },

    #[error(
        "the parts of the published ledger have {found} blocks, and this program knows those of {ours}: update it"
    )]
    PartBlocks { found: u32, ours: u32 },

    #[error(
        "the list there has number {newest}, and number {known} was seen before: numbers only grow, so this is an old list; ask \
         another mirror"
    )]
    Rollback { newest: u32, known: u32 },

    #[error(
        "list {number} is there with the digest {found}, and was seen with {known}: a publisher uses a number once; ask another mirror, \
         or the publisher"
    )]
    Reused { number: u32, found: Digest, known: Digest },

    #[error(
        "{ticker}: {reason}; its rows would be read as what they are not: update the configuration, or ask the publisher"
    )]
    Layout { ticker: String, reason: String },

    #[error(
        "{path} has {found} bytes, and ledger.toml says {expected}: it is another file than the one that was signed"
    )]
    Size { path: String, found: u64, expected: u64 },

    #[error(
        "{path} has the digest {found}, and ledger.toml says {expected}: it is another file than the one that was signed"
    )]
    Digest { path: String, found: Digest, expected: Digest },

    #[error(
        "the list reaches to block {last}, and no block after {newest} can be yet: its publisher's ledger, or this clock, is wrong"
    )]
    Future { last: Block, newest: Block },

    #[error("{path} comes slower than {least} bytes a second")]
    Slow { path: String, least: u64 },

    #[error("{path}: {reason}")]
    File { path: String, reason: String },

    #[error("{what} cannot be fetched: {reason}")]
    Http { what: String, reason: String },
}

impl LedgerRejection {
    /// What the system says of a file.
    #[must_use]
    pub fn file(path: impl AsRef<std::path::Path>, error: &std::io::Error) -> Self {
        Self::File { path: path.as_ref().display().to_string(), reason: error.to_string() }
    }
}
