//! A ledger that is published in parts: `ledger.toml`, the signed list of them.
//!
//! A publisher's place has the list, its signature beside it, and the files that it names, each by its day and its digest:
//! a file that changes has another name, so that whoever goes by an older list still finds what that says.

mod index;
#[cfg(test)]
mod index_test;
mod rejection;

pub use index::{LedgerIndex, ListedChallenge, ListedFacts, ListedPart, Seen};
pub use rejection::LedgerRejection;

/// The signed list of a published ledger's parts.
pub const LEDGER_INDEX: &str = "ledger.toml";
/// Bytes that `ledger.toml` may have.
pub const LARGEST_LEDGER_INDEX: u64 = 2 << 20;
/// Parts that it may list: a day each, more than eleven years.
pub const MOST_PARTS: usize = 4096;
/// Challenges that it may list.
pub const MOST_CHALLENGES: usize = 1024;
/// Bytes that the file of a part may have.
pub const LARGEST_PART: u64 = 512 << 20;
/// Bytes that a part may have once it is unpacked.
pub const LARGEST_CONTENT: u64 = 8 << 30;
/// Bytes that the file of the facts may have.
pub const LARGEST_FACTS: u64 = 64 << 20;
/// Bytes that the facts may have once they are unpacked.
pub const LARGEST_FACTS_CONTENT: u64 = 128 << 20;
