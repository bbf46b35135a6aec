//! A ledger that is published in parts, a day each: their form, how they are cut from a ledger, and how they come into one.
//!
//! What is in a part follows from its rows alone, so that two publishers' parts can be compared by their digests
//! (`docs/publishing.md` describes every byte). Nothing of a part is used before all of it was found to be what is
//! listed.

mod bounded;
mod compare;
mod cut;
mod difference;
mod error;
mod facts;
mod facts_form;
mod form;
mod hashed;
mod merge;
#[cfg(test)]
mod merge_test;
mod packed;
mod read;
mod record;
mod room;
#[cfg(test)]
mod round_trip_test;
mod write;

pub use compare::{Comparison, DayCounts, Example, LedgerComparison};
pub use error::{PartRejection, PublishedError};
pub use form::{Day, PartContents, PartHead};
pub use merge::{Disagreement, Merged, Origin};
pub use packed::{ListedFile, PackedFile};
pub use record::{KnownPart, SeenList};

#[cfg(test)]
pub(crate) use {read::walk, write::PartWriter};
