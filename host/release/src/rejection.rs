//! Why a release is not taken.

use super::Digest;
use mantis_config::Block;
use thiserror::Error;

/// Why a release, or the list of releases, is not taken: a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it, and the fields are named as there")]
pub enum ReleaseRejection {
    #[error("{file}{}: {what}", line.map_or(String::new(), |line| format!(":{line}")))]
    Text { file: &'static str, line: Option<usize>, what: String },

    #[error(
        "{file} is not signed by {signer}, who {}: sign it with that hotkey (`mantis release sign`)",
        if *is_owner { "owns the subnet on the chain" } else { "is the `key` of [release]" }
    )]
    Signature { file: String, signer: String, is_owner: bool },

    #[error(
        "{path} has the digest {found}, and {list} says {expected}: it is another file than the one that was signed"
    )]
    Digest { path: String, list: &'static str, found: Digest, expected: Digest },

    #[error(
        "{path} has {found} bytes, and release.toml says {expected}: it is another file than the one that was signed"
    )]
    Size { path: String, found: u64, expected: u64 },

    #[error("{path} is listed in release.toml and is not there")]
    Missing { path: String },

    #[error(
        "{path} is there and not listed in release.toml: a release has the files that were signed, and no other"
    )]
    Unlisted { path: String },

    #[error("{path} is neither a file nor a folder: a release holds no links")]
    NoFile { path: String },

    #[error("{file} is for subnet {found}, and this validator is of subnet {ours}")]
    Netuid { file: &'static str, found: u16, ours: u16 },

    #[error(
        "the newest release there is {newest}, and release {known} was taken before: numbers only grow, so this list is an old \
         one; to go back, publish what release {newest} said under a new number (`mantis release revert`)"
    )]
    Rollback { newest: u32, known: u32 },

    #[error(
        "release {number} is there with the digest {found}, and was taken with {known}: a number is never used again; publish it \
         under the next one"
    )]
    Reused { number: u32, found: Digest, known: Digest },

    #[error(
        "after release {known} comes {found} in the list, and {} is missing: publish every number; a validator that was away \
         for so long that the list has forgotten them begins anew with `mantis rewind --forget-releases`",
        known + 1
    )]
    Gap { known: u32, found: u32 },

    #[error(
        "release {number} names {found} as the release before it, and that is {expected}: make it from that one"
    )]
    Previous { number: u32, found: String, expected: Digest },

    #[error("release {found} lies where release {expected} should: publish it again")]
    Number { found: u32, expected: u32 },

    #[error(
        "release {number} could be taken until block {expires}, and this is block {head}: publish a new one with the same \
         content (`mantis release revert {number}`)"
    )]
    Expired { number: u32, expires: Block, head: Block },

    #[error("release {number} is for versions {range} of this program, and this is {version}: {}", update(*is_old))]
    Host { number: u32, range: String, version: String, is_old: bool },

    #[error("{path} is larger than {limit} bytes, which is all that is read of such a file")]
    TooLarge { path: String, limit: u64 },

    #[error("{path}: {reason}")]
    File { path: String, reason: String },

    #[error("{what} cannot be fetched: {reason}")]
    Http { what: String, reason: String },

    #[error("who owns the subnet is not known: {reason}")]
    Owner { reason: String },

    #[error("its challenges.toml is refused: {faults}")]
    Configuration { faults: String },
}

fn update(is_old: bool) -> &'static str {
    if is_old { "update it" } else { "the release is made for an older one; its owner makes another" }
}

impl ReleaseRejection {
    /// What the system says of a file.
    #[must_use]
    pub fn file(path: impl AsRef<std::path::Path>, error: &std::io::Error) -> Self {
        Self::File { path: path.as_ref().display().to_string(), reason: error.to_string() }
    }

    /// Whether it may be over in a moment, without anybody changing the release.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Http { .. } | Self::Owner { .. } | Self::File { .. })
    }
}
