//! Signatures of answers: `Content-Digest` (RFC 9530), `Signature` and `Signature-Input` (RFC 9421).

use super::error::ApiError;
use super::site::{SignalSite, now_ms};
use crate::signing::SigningKey;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Bytes of one answer at most.
const LONGEST: usize = 32 << 20;

const DIGEST: HeaderName = HeaderName::from_static("content-digest");
const INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// Signs every JSON answer that is not signed yet.
pub(super) async fn sign(State(site): State<Arc<SignalSite>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/") && kind.contains("json"));
    if !is_json || response.headers().contains_key(&SIGNATURE) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return ApiError::internal().into_response() };
    add(&mut parts.headers, parts.status, &body, &site.key);
    Response::from_parts(parts, Body::from(body))
}

/// Adds the digest and the signature of a body.
pub(super) fn add(headers: &mut HeaderMap, status: StatusCode, body: &Bytes, key: &SigningKey) {
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    let created = now_ms() / 1000;
    let params = format!(
        "(\"@status\" \"content-digest\");created={created};keyid=\"{}\";alg=\"ed25519\"",
        key.public()
    );
    // The signature base of RFC 9421, section 2.5.
    let base = format!(
        "\"@status\": {}\n\"content-digest\": {digest}\n\"@signature-params\": {params}",
        status.as_u16()
    );
    let signature = STANDARD.encode(key.sign(base.as_bytes()));
    for (name, value) in
        [(DIGEST, digest), (INPUT, format!("sig1={params}")), (SIGNATURE, format!("sig1=:{signature}:"))]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
