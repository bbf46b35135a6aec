//! What goes on, who earns most, what was refused.

use super::frame::document;
use super::leaderboard::asof;
use super::live::live;
use crate::sections::text::{count, esc};
use crate::sections::view::{Miner, View};
use crate::sections::{leaderboard, summary};
use crate::standing::Standing;
use mantis_ledger::{Counts, Ledger, LedgerError};
use mantis_validator::Status;

/// Miners that are shown.
const TOP: usize = 10;
/// Refusals that are shown.
const REFUSALS: usize = 12;

pub(super) fn page(
    view: &View<'_>,
    standing: &Standing,
    status: Option<&Status>,
    ledger: &Ledger,
) -> Result<String, LedgerError> {
    let top: Vec<&Miner<'_>> = view.miners.iter().filter(|miner| miner.total > 0.0).take(TOP).collect();
    let mut main = format!(
        "<section aria-labelledby=\"h-overview\">\n<h1 id=\"h-overview\">Subnet {}</h1>\n<div id=\"live\" data-live=\"/live\">\n{}</div>\n</section>\n",
        standing.config.network.netuid,
        live(standing, status, ledger)?
    );
    main += &format!(
        "<section aria-labelledby=\"h-leaderboard\">\n<h2 id=\"h-leaderboard\">Who earns most</h2>\n<p class=\"meta\">{}</p>\n",
        asof(standing)
    );
    main += &summary::refused_weights(view);
    if top.is_empty() {
        main += "<p class=\"muted\">No miner earns anything.</p>\n";
    } else {
        main += &leaderboard::board(view, "leaderboard", "h-leaderboard", &top);
        main +=
            &format!("<p><a href=\"/leaderboard\">All {} miners</a></p>\n", count(view.miners.len() as i128));
    }
    main += &summary::spread(view);
    main += "</section>\n";
    main += &refusals(view);
    main += &summary::how(view);
    Ok(document("Overview", "/", &main))
}

fn refusals(view: &View<'_>) -> String {
    let mut out = String::from(
        "<section aria-labelledby=\"h-refusals\">\n<h2 id=\"h-refusals\">Newest refusals</h2>\n",
    );
    let newest: &[Counts] = view.input.refusals;
    if newest.is_empty() {
        return out + "<p class=\"muted\">None.</p>\n</section>\n";
    }
    out += "<div class=\"scroll\" role=\"region\" aria-labelledby=\"h-refusals\" tabindex=\"0\">\n<table id=\"refusals\">\n<thead><tr><th class=\"n\" scope=\"col\">Block</th><th class=\"who\" scope=\"col\">Miner</th><th scope=\"col\">At</th><th scope=\"col\">Reason</th><th class=\"n\" scope=\"col\">Times</th><th scope=\"col\">What is wrong</th></tr></thead>\n<tbody>\n";
    for counts in newest.iter().take(REFUSALS) {
        let last = &counts.last;
        let ticker =
            if last.ticker.is_empty() { String::new() } else { format!(" of {}", esc(&last.ticker)) };
        out += &format!(
            "<tr data-hotkey=\"{}\"><td class=\"n\">{}</td><td class=\"who\">{}</td><td>{}{ticker}</td><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"t\">{}</td></tr>\n",
            esc(&last.hotkey),
            count(counts.last_block),
            view.link(&last.hotkey),
            last.stage.as_str(),
            esc(&last.code),
            count(counts.times),
            esc(&last.detail)
        );
    }
    out + "</tbody>\n</table>\n</div>\n</section>\n"
}
