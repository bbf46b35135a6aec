//! What is told of releases.

use mantis_config::Block;
use serde::Serialize;
use utoipa::ToSchema;

/// How it stands with the releases of the subnet's owner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ReleaseStatus {
    /// Where they are published, without what may be a secret.
    pub url: String,
    /// The release that counts for the newest block; null where it is the file alone.
    pub number: Option<u32>,
    /// From which block on.
    #[schema(value_type = Option<i64>)]
    pub activate: Option<Block>,
    /// Releases that are sound and do not count yet.
    pub staged: Vec<StagedStatus>,
    /// When it was looked for new ones last, and that came to an end.
    pub looked: Option<u64>,
    /// Why the next one is not taken; null where there is none, or it is.
    pub fault: Option<String>,
    /// Whether it soon counts for others, or does already.
    pub pressing: bool,
}

/// A release that is sound and does not count yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct StagedStatus {
    /// Its number.
    pub number: u32,
    /// The block from which on it counts.
    #[schema(value_type = i64)]
    pub activate: Block,
    /// Whether it will be taken then; false while the operator has not agreed.
    pub agreed: bool,
}
