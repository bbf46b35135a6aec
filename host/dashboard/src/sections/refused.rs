//! Why payloads of a miner were refused.

use super::filters;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_ledger::RejectionCounts;

/// Stretches of refusals of a miner, newest first.
#[derive(Template)]
#[template(path = "sections/refused.html")]
pub(crate) struct Refused<'a> {
    shown: &'a [&'a RejectionCounts],
    /// Stretches that are not among those.
    older: usize,
}

impl HtmlSafe for Refused<'_> {}

impl<'a> Refused<'a> {
    /// So many of them at most.
    pub(crate) fn new(refusals: &'a [&'a RejectionCounts], most: usize) -> Self {
        let shown = refusals.get(..most).unwrap_or(refusals);
        Self { shown, older: refusals.len() - shown.len() }
    }
}
