//! Requests that were answered.

use axum::http::StatusCode;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Requests that were answered since the start, by status.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    by_status: Mutex<BTreeMap<u16, u64>>,
}

impl Traffic {
    /// Counts an answer.
    pub(super) fn count(&self, status: StatusCode) {
        let mut counts = self.by_status.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(status.as_u16()).or_default() += 1;
    }

    /// How many answers had which status.
    pub(super) fn by_status(&self) -> BTreeMap<u16, u64> {
        self.by_status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
