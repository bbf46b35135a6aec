//! How our weights stand with those of other validators.

use super::Problems;
use crate::server::error::ApiError;
use crate::server::site::Site;
use axum::Json;
use axum::extract::State;
use mantis_validator::agreement::Agreement;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How our weights stood when the validator last looked.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct AgreementAnswer {
    /// When it looked, Unix seconds.
    looked: u64,
    /// What it found.
    agreement: Agreement,
}

/// How our newest weights stand with the consensus and with every validator's, as the validator last found it.
#[utoipa::path(get, path = "/api/v1/agreement", tag = "weights",
    responses((status = 200, description = "The last comparison.", body = AgreementAnswer), Problems))]
pub(in crate::server) async fn agreement(
    State(site): State<Arc<Site>>,
) -> Result<Json<AgreementAnswer>, ApiError> {
    site.query(move |ledger, _| {
        let record = ledger.last_agreement()?.ok_or_else(|| {
            ApiError::missing(
                "our weights were not compared with others' yet; `mantis agree` does it at once",
            )
        })?;
        let agreement = serde_json::from_str(&record.document).map_err(|_| ApiError::internal())?;
        Ok(Json(AgreementAnswer { looked: record.unix, agreement }))
    })
    .await
}
