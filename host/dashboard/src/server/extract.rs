//! What requests ask for, checked.

use super::error::ApiError;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use mantis_config::Block;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

/// Entries on a page if no number is asked for, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 500;

/// The part of the path that is a name.
pub(super) struct Name(pub(super) String);

/// The part of the path that is a block.
pub(super) struct AtBlock(pub(super) Block);

/// The query.
pub(super) struct Params<T>(pub(super) T);

/// Which entries of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Entries at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<u32>,
    /// Entries that are left out before the first.
    #[param(minimum = 0, maximum = 1_000_000_000, default = 0)]
    pub(super) offset: Option<u32>,
}

impl Paging {
    /// The first entry, and how many.
    pub(super) fn range(self) -> Result<(u32, u32), ApiError> {
        let (limit, offset) = (self.limit.unwrap_or(USUAL), self.offset.unwrap_or(0));
        let refuse = |detail: String| Err(ApiError::new(StatusCode::BAD_REQUEST, detail));
        match (limit, offset) {
            (1..=MOST, 0..=1_000_000_000) => Ok((offset, limit)),
            (1..=MOST, _) => refuse(format!("`offset` is {offset}; allowed are 0 to 1000000000")),
            _ => refuse(format!("`limit` is {limit}; allowed are 1 to {MOST}")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0))
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error.body_text()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtBlock {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Name(text) = Name::from_request_parts(parts, state).await?;
        let refuse =
            |_| ApiError::new(StatusCode::BAD_REQUEST, "the block is not a whole number, such as 7000000");
        text.parse().map(|number| Self(Block(number))).map_err(refuse)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|query| Self(query.0))
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error.body_text()))
    }
}
