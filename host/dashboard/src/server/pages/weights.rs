//! Every UID's weight, how computations went, and what became of the attempts to set them.

use super::{frame::document, now};
use crate::sections::text::{ago, count, esc, plural};
use crate::sections::view::View;
use crate::sections::weights;
use mantis_ledger::{Attempt, CycleLine, Ledger, LedgerError, Sent};

/// Lines of a page.
const LINES: u32 = 50;

pub(super) fn page(view: &View<'_>, ledger: &Ledger, offset: u32) -> Result<String, LedgerError> {
    let mut main =
        String::from("<section aria-labelledby=\"h-weights\">\n<h1 id=\"h-weights\">Weights</h1>\n");
    if offset == 0 {
        main += &weights::whole(view);
    }
    main += "</section>\n";
    let cycles = ledger.cycles(offset, LINES)?;
    let (computed, attempted) = (ledger.count_cycles()?, ledger.count_attempts()?);
    let wanted = if u64::from(offset) < attempted { offset.saturating_add(LINES) } else { 0 };
    let all = ledger.attempts(wanted)?;
    let attempts = all.get(offset as usize..).unwrap_or_default();
    main += &computations(&cycles);
    main += &settings(attempts);
    main += &pages(offset, computed.max(attempted));
    Ok(document("Weights", "/weights", &main))
}

fn computations(cycles: &[CycleLine]) -> String {
    let mut out = String::from(
        "<section aria-labelledby=\"h-computations\">\n<h2 id=\"h-computations\">Computations</h2>\n",
    );
    if cycles.is_empty() {
        return out + "<p class=\"muted\">None.</p>\n</section>\n";
    }
    out += "<div class=\"scroll\" role=\"region\" aria-labelledby=\"h-computations\" tabindex=\"0\">\n<table id=\"computations\">\n<thead><tr><th class=\"n\" scope=\"col\">Block</th><th scope=\"col\">Ended</th><th class=\"n\" scope=\"col\">Scored up to</th><th class=\"n\" scope=\"col\">Seconds</th><th scope=\"col\">Outcome</th><th scope=\"col\">Skipped</th></tr></thead>\n<tbody>\n";
    for cycle in cycles {
        let outcome = match &cycle.rejected {
            Some(reason) => format!("<em>no weights: {}</em>", esc(reason)),
            None => "weights".into(),
        };
        let skipped: Vec<String> = cycle
            .skipped
            .iter()
            .map(|(ticker, reason)| format!("<span title=\"{}\">{}</span>", esc(reason), esc(ticker)))
            .collect();
        out += &format!(
            "<tr data-block=\"{}\"><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td><td>{outcome}</td><td class=\"t\">{}</td></tr>\n",
            cycle.block,
            count(cycle.block),
            ago(cycle.unix, now()),
            count(cycle.max_block),
            cycle.seconds,
            skipped.join(", ")
        );
    }
    out + "</tbody>\n</table>\n</div>\n</section>\n"
}

fn settings(attempts: &[Attempt]) -> String {
    let mut out = String::from(
        "<section aria-labelledby=\"h-attempts\">\n<h2 id=\"h-attempts\">Attempts to set them</h2>\n",
    );
    if attempts.is_empty() {
        return out + "<p class=\"muted\">None.</p>\n</section>\n";
    }
    out += "<div class=\"scroll\" role=\"region\" aria-labelledby=\"h-attempts\" tabindex=\"0\">\n<table id=\"attempts\">\n<thead><tr><th class=\"n\" scope=\"col\">Block</th><th scope=\"col\">Ended</th><th class=\"n\" scope=\"col\">Computed at</th><th scope=\"col\">Outcome</th><th class=\"n\" scope=\"col\">UIDs</th><th scope=\"col\">Transaction</th><th scope=\"col\">What went wrong</th></tr></thead>\n<tbody>\n";
    for attempt in attempts {
        let outcome = match attempt.sent {
            Sent::Failed | Sent::Unconfirmed => format!("<em>{}</em>", attempt.sent.as_str()),
            _ => attempt.sent.as_str().to_owned(),
        };
        let mut transaction = attempt.transaction.as_ref().map_or(String::new(), |hash| {
            let short: String = hash.chars().take(12).collect();
            format!("<code title=\"{}\">{}…</code>", esc(hash), esc(&short))
        });
        if let Some(included) = attempt.included {
            transaction += &format!(" in block {}", count(included));
        }
        out += &format!(
            "<tr data-block=\"{}\"><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td>{outcome}</td><td class=\"n\">{}</td><td>{transaction}</td><td class=\"t\">{}</td></tr>\n",
            attempt.block,
            count(attempt.block),
            ago(attempt.unix, now()),
            count(attempt.computed),
            attempt.weights.len(),
            attempt.error.as_ref().map_or(String::new(), |error| esc(error))
        );
    }
    out + "</tbody>\n</table>\n</div>\n</section>\n"
}

/// Links to what is newer and what is older.
fn pages(offset: u32, lines: u64) -> String {
    let older = offset.saturating_add(LINES);
    let mut links = Vec::new();
    if offset > 0 {
        let newer = offset.saturating_sub(LINES);
        let address = if newer == 0 { "/weights".into() } else { format!("/weights?offset={newer}") };
        links.push(format!("<a rel=\"prev\" href=\"{address}\">Newer</a>"));
    }
    if u64::from(older) < lines {
        links.push(format!("<a rel=\"next\" href=\"/weights?offset={older}\">Older</a>"));
    }
    if links.is_empty() {
        return String::new();
    }
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    format!(
        "<nav class=\"choices\" aria-label=\"Pages of history\">{}<span class=\"muted\">{}</span></nav>\n",
        links.concat(),
        plural(lines, "line", "lines")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_turned_page_by_page() {
        assert_eq!(pages(0, 50), "");
        assert!(pages(0, 51).contains("?offset=50") && !pages(0, 51).contains("prev"));
        assert!(pages(50, 51).contains("href=\"/weights\"") && !pages(50, 51).contains("next"));
        assert!(pages(u32::MAX, u64::MAX).contains("prev"));
    }
}
