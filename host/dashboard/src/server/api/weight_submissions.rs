//! Attempts to set weights on the chain.

use super::{Page, Problems};
use crate::server::error::ApiError;
use crate::server::extract::{Paging, Params};
use crate::server::site::Site;
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Redirect;
use mantis_ledger::Attempt;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where the attempts are.
const PATH: &str = "/api/v1/weight-submissions";

/// An attempt to set weights.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct WeightSubmissionAnswer {
    /// The block that they were computed for.
    computed: i64,
    /// The block at which they were sent.
    block: i64,
    /// When it ended, Unix seconds.
    ended: u64,
    /// How it ended: `set`, `committed`, `unconfirmed`, `failed` or `dry run`.
    outcome: String,
    /// The transaction's hash; null if there was none.
    transaction: Option<String>,
    /// The block that the transaction is in; null if it is not known.
    included: Option<i64>,
    /// What went wrong; null if nothing did.
    error: Option<String>,
    /// The weights.
    weights: Vec<OnChain>,
}

/// A weight as the chain is given it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct OnChain {
    /// The UID.
    uid: u16,
    /// Its hotkey then.
    hotkey: String,
    /// 0 to 65,535; the largest of all is 65,535.
    weight: u16,
}

/// All attempts to set weights, newest first.
#[utoipa::path(get, path = "/api/v1/weight-submissions", tag = "weights", params(Paging),
    responses((status = 200, description = "A page of attempts.", body = Page<WeightSubmissionAnswer>), Problems))]
pub(in crate::server) async fn weight_submissions(
    State(site): State<Arc<Site>>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<WeightSubmissionAnswer>>, ApiError> {
    let range = paging.range()?;
    site.query(move |ledger, _| {
        let attempts =
            ledger.attempts_from(range.0, range.1)?.into_iter().map(WeightSubmissionAnswer::from).collect();
        Ok(Json(Page::new(attempts, ledger.count_attempts()?, range)))
    })
    .await
}

/// Where the attempts were until version 0.1; kept for one version.
pub(in crate::server) async fn moved(uri: Uri) -> Redirect {
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    Redirect::permanent(&format!("{PATH}{query}"))
}

impl From<Attempt> for WeightSubmissionAnswer {
    fn from(attempt: Attempt) -> Self {
        let Attempt { computed, block, unix, sent, transaction, included, error, weights } = attempt;
        let weights =
            weights.into_iter().map(|(uid, hotkey, weight)| OnChain { uid, hotkey, weight }).collect();
        let outcome = sent.as_str().to_owned();
        Self {
            computed: computed.0,
            block: block.0,
            ended: unix,
            outcome,
            transaction,
            included: included.map(|block| block.0),
            error,
            weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;

    #[tokio::test]
    async fn the_old_address_leads_to_the_new_one_with_its_query() {
        for (old, new) in [
            ("/api/v1/settings", "/api/v1/weight-submissions"),
            ("/api/v1/settings?limit=3&offset=1", "/api/v1/weight-submissions?limit=3&offset=1"),
        ] {
            let response = moved(old.parse().unwrap()).await.into_response();
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(response.headers()[header::LOCATION], new);
        }
    }
}
