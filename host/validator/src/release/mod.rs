//! Releases of the subnet's owner: fetched, held to what must hold of them, checked by their plugins, and put in force from their
//! block on.
//!
//! A [`ReleaseKeeper`] looks, beside everything else, whether there are new ones ([`look`]); what is sound lies beside the ledger
//! ([`ReleaseStore`]), and is staged: a configuration over the operator's file, followed like it, in a [`Timeline`]. Which were
//! taken is in the ledger, from which [`restore`] brings them back at the start.

mod fetch;
mod keeper;
mod look;
mod restore;
mod status;
mod store;
mod timeline;

pub use keeper::{Agreement, ReleaseKeeper, StagedRelease};
pub use look::{Answer, Candidate, Outcome, ReleaseFault};
pub use restore::{RestoreError, restore};
pub use status::{ReleaseStatus, StagedStatus};
pub use store::ReleaseStore;
pub use timeline::{AllRefreshed, Followed, Timeline};
