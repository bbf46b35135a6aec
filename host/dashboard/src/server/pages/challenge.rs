//! The challenges, and one of them.

use super::frame::document;
use super::leaderboard::asof;
use super::miner::thinned;
use crate::sections::chart::over_time;
use crate::sections::links::segment;
use crate::sections::text::{count, esc};
use crate::sections::view::View;
use crate::sections::{challenges, configuration};
use crate::standing::Standing;
use mantis_ledger::{Ledger, LedgerError};

/// A table of all challenges.
pub(super) fn list(view: &View<'_>) -> String {
    let mut main = String::from(
        "<section aria-labelledby=\"h-challenges\">\n<h1 id=\"h-challenges\">Challenges</h1>\n<p class=\"muted\">Challenges count by their weights in the configuration; those that pay nobody are left out.</p>\n",
    );
    main += &challenges::overview(view);
    let unscored: Vec<String> = view
        .input
        .config
        .challenges
        .iter()
        .filter(|challenge| view.part(&challenge.ticker).is_none())
        .map(|c| format!("<a href=\"/challenges/{}\">{}</a>", segment(&c.ticker), esc(&c.ticker)))
        .collect();
    if !unscored.is_empty() {
        main += &format!("<p>Configured, and not scored yet: {}.</p>\n", unscored.join(", "));
    }
    document("Challenges", "/challenges", &(main + "</section>\n"))
}

pub(super) fn page(
    view: &View<'_>,
    standing: &Standing,
    ledger: &Ledger,
    ticker: &str,
) -> Result<Option<String>, LedgerError> {
    let entry = standing.config.challenges.iter().find(|entry| entry.ticker == ticker);
    let scored = view.part(ticker);
    if entry.is_none() && scored.is_none() {
        return Ok(None);
    }
    let mut main = format!(
        "<section id=\"challenge\" data-ticker=\"{0}\" aria-labelledby=\"h-challenge\">\n<p class=\"over\">Challenge</p>\n<h1 id=\"h-challenge\">{0}</h1>\n",
        esc(ticker)
    );
    match scored {
        Some((index, part)) => {
            main += &challenges::head(part);
            main += &format!(
                "<p class=\"meta\">{} · <a href=\"/leaderboard/{}\">its leaderboard</a></p>\n",
                asof(standing),
                segment(ticker)
            );
            main += "<div class=\"card\">\n";
            let states = if part.entry.is_some_and(|entry| entry.blocks_ahead == 0) {
                ledger.breakout_state()?
            } else {
                Vec::new()
            };
            main += &challenges::body(view, index, part, &states, &paid(ledger, ticker)?);
            main += "</div>\n";
        }
        None => main += "<p class=\"lead\">It has not been scored yet.</p>\n",
    }
    main += "</section>\n";
    if let Some(entry) = entry {
        main += &format!(
            "<section aria-labelledby=\"h-parameters\">\n<h2 id=\"h-parameters\">Parameters</h2>\n{}</section>\n",
            configuration::of_challenge(entry, scored.map(|(_, part)| part))
        );
    }
    Ok(Some(document(ticker, "/challenges", &main)))
}

/// How many miners it paid, and how long it took, over the computations.
fn paid(ledger: &Ledger, ticker: &str) -> Result<String, LedgerError> {
    let history = ledger.challenge_history(ticker)?;
    let kept: Vec<_> = thinned(history.len()).into_iter().filter_map(|i| history.get(i)).collect();
    let blocks: Vec<i64> = kept.iter().map(|line| line.block).collect();
    let paid: Vec<f64> = kept.iter().map(|line| f64::from(line.paid)).collect();
    let seconds: Vec<f64> = kept.iter().map(|line| line.seconds).collect();
    Ok(over_time("Miners paid", &blocks, &paid, |x| count(x.round() as i64))
        + &over_time("Seconds", &blocks, &seconds, |x| format!("{x:.1}")))
}
