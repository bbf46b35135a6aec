//! Every UID's weight, how computations went, and what became of the attempts to set weights.

use super::frame::Frame;
use super::now;
use crate::sections::RenderError;
use crate::sections::agreement::AgreementSection;
use crate::sections::filters;
use crate::sections::time::Moment;
use crate::sections::view::RunView;
use crate::sections::weights::WeightTable;
use askama::Template;
use mantis_ledger::{AgreementRecord, Attempt, ComputationLine, Ledger, Sent};

/// Lines of a page.
const LINES: u32 = 50;

#[derive(Template)]
#[template(path = "pages/weights.html")]
struct WeightsPage<'a> {
    frame: Frame,
    /// `None` but on the first page of the history.
    table: Option<WeightTable<'a>>,
    /// The same; `None` too where nothing is known of it.
    agreement: Option<AgreementSection>,
    computations: &'a [ComputationLine],
    attempts: &'a [Attempt],
    pages: Pages,
}

/// Where newer and older history is.
struct Pages {
    newer: Option<String>,
    older: Option<String>,
    lines: u64,
}

pub(super) fn page(view: &RunView<'_>, ledger: &Ledger, offset: u32) -> Result<String, RenderError> {
    let (computed, attempted) = (ledger.count_cycles()?, ledger.count_attempts()?);
    let page = WeightsPage {
        frame: Frame::new("Weights", "/weights"),
        table: (offset == 0).then(|| WeightTable::new(view)),
        agreement: if offset == 0 { agreement(ledger)? } else { None },
        computations: &ledger.computations(offset, LINES)?,
        attempts: &ledger.attempts_from(offset, LINES)?,
        pages: Pages::new(offset, computed.max(attempted)),
    };
    Ok(page.render()?)
}

/// How our weights stand with those of other validators, where that was looked at.
fn agreement(ledger: &Ledger) -> Result<Option<AgreementSection>, RenderError> {
    let record = ledger.last_agreement()?;
    let section = |record: AgreementRecord| {
        // What another version wrote may be something else.
        let agreement = serde_json::from_str(&record.document).ok()?;
        Some(AgreementSection::new(agreement, Moment::new(record.unix, now())))
    };
    Ok(record.and_then(section))
}

impl WeightsPage<'_> {
    fn moment(&self, unix: &u64) -> Moment {
        Moment::new(*unix, now())
    }

    /// Whether an attempt needs attention.
    fn is_doubtful(&self, sent: &Sent) -> bool {
        matches!(sent, Sent::Failed | Sent::Unconfirmed)
    }
}

impl Pages {
    fn new(offset: u32, lines: u64) -> Self {
        let address =
            |offset| if offset == 0 { "/weights".into() } else { format!("/weights?offset={offset}") };
        let older = offset.saturating_add(LINES);
        Self {
            newer: (offset > 0).then(|| address(offset.saturating_sub(LINES))),
            older: (u64::from(older) < lines).then(|| address(older)),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_turned_page_by_page() {
        let pages = |offset, lines| {
            let Pages { newer, older, .. } = Pages::new(offset, lines);
            (newer.unwrap_or_default(), older.unwrap_or_default())
        };
        assert_eq!(pages(0, 50), (String::new(), String::new()));
        assert_eq!(pages(0, 51), (String::new(), "/weights?offset=50".into()));
        assert_eq!(pages(50, 51), ("/weights".into(), String::new()));
        assert_eq!(pages(120, 500), ("/weights?offset=70".into(), "/weights?offset=170".into()));
        assert_eq!(pages(u32::MAX, u64::MAX).0, format!("/weights?offset={}", u32::MAX - LINES));
    }
}
