//! How our weights stand with those of other validators.

use super::filters;
use super::time::Moment;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_validator::agreement::{Agreement, MinerDifference, RowAgreement};

/// Miners that are listed.
const MINERS: usize = 10;

/// How our weights stood when the validator last looked, under a heading with the id `h-agreement`.
#[derive(Template)]
#[template(path = "sections/agreement.html")]
pub(crate) struct AgreementSection {
    agreement: Agreement,
    looked: Moment,
}

impl HtmlSafe for AgreementSection {}

impl AgreementSection {
    /// What was found at a moment.
    pub(crate) fn new(agreement: Agreement, looked: Moment) -> Self {
        Self { agreement, looked }
    }

    /// What the chain shows of us, where it does, then our newest weights.
    fn rows(&self) -> Vec<(&'static str, &RowAgreement)> {
        let shown = self.agreement.shown.as_ref().map(|shown| ("on the chain", shown));
        shown.into_iter().chain([("newest", &self.agreement.newest)]).collect()
    }

    fn miners(&self) -> &[MinerDifference] {
        self.agreement.miners.get(..MINERS).unwrap_or(&self.agreement.miners)
    }
}
