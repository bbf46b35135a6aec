//! What `mantis score --json` prints.

use anyhow::{Context, Result};
use serde_json::Value;

/// The tickers that were scored.
pub(crate) fn tickers(document: &Value) -> Result<impl Iterator<Item = &String>> {
    Ok(document["seconds"].as_object().context("no seconds in the document")?.keys())
}

/// How long a ticker took.
pub(crate) fn seconds(document: &Value, ticker: &str) -> f64 {
    document["seconds"][ticker].as_f64().unwrap_or(f64::NAN)
}

/// A document without what differs from run to run.
pub(crate) fn results(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("seconds");
        fields.remove("peak_rss_mb");
    }
    document
}
