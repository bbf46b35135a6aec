//! The JSON API: the same numbers as on the pages, for programs. `/api/v1/openapi.json` describes it.
//!
//! Lists come in pages: `?limit=` entries after leaving out the first `?offset=`. What is refused comes as
//! `application/problem+json` (RFC 9457). Shares and weights are parts of 1; times are Unix seconds.

pub(super) mod agreement;
pub(super) mod challenges;
pub(super) mod computations;
pub(super) mod configuration;
pub(super) mod docs;
pub(super) mod leaderboard;
pub(super) mod miners;
pub(super) mod refusals;
pub(super) mod status;
pub(super) mod weight_submissions;
pub(super) mod what_if;

use super::error::{ApiError, Problem};
use super::extract::Paging;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The entries.
    items: Vec<T>,
    /// How many there are in all.
    total: u64,
    /// How many were left out before the first.
    offset: u32,
    /// How many there may be on this page.
    limit: u32,
}

/// What any of the API's requests may come to instead of an answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum Problems {
    /// The request is wrong: its query, or a part of its path.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(Problem),
    /// There is no such miner, challenge or computation.
    #[response(status = 404, content_type = "application/problem+json")]
    Missing(Problem),
    /// The ledger cannot be read at the moment; `Retry-After` says when to try again.
    #[response(status = 503, content_type = "application/problem+json")]
    NotNow(Problem),
}

impl<T> Page<T> {
    /// A page that was read as such.
    fn new(items: Vec<T>, total: u64, (offset, limit): (u32, u32)) -> Self {
        Self { items, total, offset, limit }
    }

    /// The page of a whole list that is asked for.
    fn select(all: impl ExactSizeIterator<Item = T>, paging: Paging) -> Result<Self, ApiError> {
        let (offset, limit) = paging.range()?;
        let total = all.len() as u64;
        Ok(Self { items: all.skip(offset as usize).take(limit as usize).collect(), total, offset, limit })
    }
}
