//! Who asks, and what that one may know.

use super::error::ApiError;
use crate::keys::Scope;
use crate::plans::{Plan, in_words};
use crate::store::{KeyRecord, Span};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) plan: Arc<Plan>,
    /// `None` for who has none.
    pub(super) key: Option<Arc<KeyRecord>>,
    /// Whose limits count: the key's, or the address's.
    pub(super) name: Name,
}

/// A key, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Name {
    Key(String),
    Address(IpAddr),
}

impl Caller {
    /// Refuses who has a key for something else.
    pub(super) fn check(&self, scope: Scope) -> Result<(), ApiError> {
        match &self.key {
            Some(kept) if !kept.key.scopes.iter().any(|has| has == scope.as_str()) => {
                let detail =
                    format!("this key is not for `{}`; ask the owner for one that is", scope.as_str());
                Err(ApiError::forbidden(detail))
            }
            _ => Ok(()),
        }
    }

    /// Refuses who has a key for other signals.
    pub(super) fn check_signal(&self, ticker: &str) -> Result<(), ApiError> {
        if self.is_for(ticker) {
            return Ok(());
        }
        let ticker: String = ticker.chars().take(64).collect();
        Err(ApiError::forbidden(format!("this key is not for {ticker}; without a key it is given later")))
    }

    /// Whether the key is for a signal.
    pub(super) fn is_for(&self, ticker: &str) -> bool {
        let signals = self.key.as_ref().and_then(|kept| kept.key.signals.as_ref());
        signals.is_none_or(|signals| signals.iter().any(|signal| signal == ticker))
    }

    /// The newest time of publication that the caller may know of, at a time (both Unix milliseconds).
    pub(super) fn until(&self, now: i64) -> i64 {
        now.saturating_sub(millis(self.plan.delay))
    }

    /// What the caller may know of at a time.
    pub(super) fn span(&self, now: i64) -> Span {
        Span { from_seq: 0, from: now.saturating_sub(millis(self.plan.history)), until: self.until(now) }
    }

    /// The delay in words.
    pub(super) fn delay(&self) -> String {
        in_words(self.plan.delay)
    }
}

/// A span in milliseconds.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::internal)
    }
}
