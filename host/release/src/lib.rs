//! Releases: how the subnet's owner changes challenges, plugins and constants for all validators at one block.
//!
//! A release is a folder: `release.toml` ([`Release`]) lists every file of it with size and digest, names the block from which
//! on it counts and the release before it, and is signed ([`signature`]). [`Folder::verify`] holds a folder to its list.
//! [`Index`] is the signed list of releases at the place where they are published; [`Index::following`] says which of it
//! follow what a validator has. Whatever does not hold is a [`ReleaseRejection`], a sentence.
//!
//! [`ledger`] is the same for a ledger that is published in parts: a signed list of them, and what must hold of it.
//!
//! Nothing here knows a network, a chain or a clock: blocks, keys and versions are handed in.

mod digest;
mod folder;
mod index;
mod judge;
pub mod ledger;
mod manifest;
mod path;
mod rejection;
pub mod signature;
mod text;

pub use digest::Digest;
pub use folder::Folder;
pub use index::{Index, IndexEntry};
pub use judge::{Circumstances, Known};
pub use manifest::{ListedFile, Release};
pub use rejection::ReleaseRejection;

/// The signed list of a release's files.
pub const MANIFEST: &str = "release.toml";
/// The configuration in a release.
pub const CHALLENGES: &str = "challenges.toml";
/// The folder of plugins in a release.
pub const PLUGINS: &str = "plugins";
/// What people are told of a release, if it says anything.
pub const CHANGES: &str = "CHANGES.md";
/// What is appended to the name of a file for that of its signature.
pub const SIGNATURE_SUFFIX: &str = ".sig";
/// Bytes that `release.toml` may have.
pub const LARGEST_MANIFEST: u64 = 64 << 10;
/// Bytes that `index.toml` may have.
pub const LARGEST_INDEX: u64 = 128 << 10;
/// Bytes that a signature's file may have: 128 hexadecimal digits, and some white space.
pub const LARGEST_SIGNATURE: u64 = 256;
/// Bytes that one file of a release may have.
pub const LARGEST_FILE: u64 = 64 << 20;
/// Bytes that all of them may have.
pub const LARGEST_RELEASE: u64 = 256 << 20;
/// Files that it may have.
pub const MOST_FILES: usize = 128;
