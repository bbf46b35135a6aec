//! What answers say of a signal.

use mantis_plugin_api::{Outlook, OutlookKind};
use serde::Serialize;

/// What kind of forecast a signal gives.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shape {
    ticker: String,
    kind: OutlookKind,
    subjects: Vec<String>,
    classes: Vec<String>,
    horizon_rows: usize,
    unit: String,
}

impl Shape {
    pub(super) fn new(ticker: &str, outlook: Outlook) -> Self {
        let Outlook { kind, subjects, classes, horizon_rows, unit, .. } = outlook;
        Self { ticker: ticker.into(), kind, subjects, classes, horizon_rows, unit }
    }
}
