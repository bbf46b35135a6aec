//! All miners, together or in one challenge.

use super::frame::document;
use crate::sections::leaderboard;
use crate::sections::links::segment;
use crate::sections::text::{count, esc};
use crate::sections::view::View;
use crate::standing::Standing;

pub(super) fn page(view: &View<'_>, standing: &Standing, challenge: Option<&str>) -> Option<String> {
    let (title, body) = match challenge {
        None => ("Leaderboard".to_owned(), leaderboard::whole(view)),
        Some(ticker) => {
            let body = match view.part(ticker) {
                Some((index, part)) => leaderboard::of_challenge(view, index, part),
                None if standing.config.challenges.iter().any(|known| known.ticker == ticker) => {
                    "<p class=\"muted\">It has not been scored yet.</p>\n".into()
                }
                None => return None,
            };
            (format!("Leaderboard of {ticker}"), body)
        }
    };
    let mut main = format!(
        "<section aria-labelledby=\"h-leaderboard\">\n<h1 id=\"h-leaderboard\">{}</h1>\n<p class=\"meta\">{}</p>\n{}",
        esc(&title),
        asof(standing),
        choices(view, challenge)
    );
    main += &body;
    main += "</section>\n";
    Some(document(&title, "/leaderboard", &main))
}

/// Which computation a page shows.
pub(super) fn asof(standing: &Standing) -> String {
    match &standing.computed {
        Some(computed) => format!(
            "As computed at block {} ({})",
            count(computed.block),
            crate::sections::text::ago(computed.unix, super::now())
        ),
        None => "Nothing has been computed yet.".into(),
    }
}

fn choices(view: &View<'_>, chosen: Option<&str>) -> String {
    let current = |is: bool| if is { " aria-current=\"page\"" } else { "" };
    let mut out = format!(
        "<nav class=\"choices\" aria-label=\"Challenges\"><a href=\"/leaderboard\"{}>All together</a>",
        current(chosen.is_none())
    );
    for part in &view.parts {
        let ticker = &part.scored.ticker;
        out += &format!(
            "<a href=\"/leaderboard/{}\"{}>{}</a>",
            segment(ticker),
            current(chosen == Some(ticker)),
            esc(ticker)
        );
    }
    out + "</nav>\n"
}
