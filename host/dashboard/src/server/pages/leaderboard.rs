//! All miners, together or in one challenge.

use super::as_of::AsOf;
use super::frame::Frame;
use crate::sections::RenderError;
use crate::sections::board::ChallengeBoard;
use crate::sections::filters;
use crate::sections::leaderboard::Leaderboard;
use crate::sections::links::segment;
use crate::sections::view::{ChallengeView, RunView};
use askama::Template;

#[derive(Template)]
#[template(path = "pages/leaderboard.html")]
struct LeaderboardPage<'a> {
    frame: Frame,
    as_of: AsOf,
    /// Whether it is of all challenges together.
    is_together: bool,
    choices: Vec<Choice<'a>>,
    board: Shown<'a>,
}

/// A challenge that has a leaderboard.
struct Choice<'a> {
    ticker: &'a str,
    /// The last part of its address.
    segment: String,
    is_chosen: bool,
}

enum Shown<'a> {
    Together(Leaderboard<'a>),
    Challenge(ChallengeBoard<'a>),
    NotScored,
}

/// The leaderboard of a challenge, or of all together; `None` if there is no such challenge.
pub(super) fn page<'a>(
    view: &'a RunView<'a>,
    challenge: Option<&str>,
) -> Result<Option<String>, RenderError> {
    let (title, board) = match challenge {
        None => ("Leaderboard".to_owned(), Shown::Together(Leaderboard::new(view))),
        Some(ticker) => {
            let is_configured = || view.standing.config.challenges.iter().any(|c| c.ticker == ticker);
            let board = match view.challenge(ticker) {
                Some((index, challenge)) => Shown::Challenge(ChallengeBoard::new(view, index, challenge)),
                None if is_configured() => Shown::NotScored,
                None => return Ok(None),
            };
            (format!("Leaderboard of {ticker}"), board)
        }
    };
    let choice = |other: &'a ChallengeView<'_>| {
        let ticker = other.ticker();
        Choice { ticker, segment: segment(ticker), is_chosen: challenge == Some(ticker) }
    };
    let page = LeaderboardPage {
        frame: Frame::new(title, "/leaderboard"),
        as_of: AsOf::new(view.standing),
        is_together: challenge.is_none(),
        choices: view.challenges.iter().map(choice).collect(),
        board,
    };
    Ok(Some(page.render()?))
}

#[cfg(test)]
mod tests {
    use crate::server::pages::Page;
    use crate::server::pages::test_world::{PageWorld, by_id, parse, plain};
    use mantis_weights::Outcome;

    #[test]
    fn the_leaderboard_says_what_was_computed() {
        let world = PageWorld::new(plain, 12, 6, "x");
        let page = world.page(Page::Leaderboard { challenge: None });
        let document = parse("leaderboard", &page);
        let table = by_id(&document, "leaderboard");
        let name = |node: &roxmltree::Node<'_, '_>, tag: &str| node.tag_name().name() == tag;
        let headings: Vec<String> = table
            .descendants()
            .find(|n| name(n, "thead"))
            .unwrap()
            .descendants()
            .filter(|n| name(n, "th") || name(n, "td"))
            .map(|n| n.descendants().filter(roxmltree::Node::is_text).filter_map(|n| n.text()).collect())
            .collect();
        let rows: Vec<_> = table.descendants().filter(|n| n.attribute("data-hotkey").is_some()).collect();
        assert_eq!(rows.len(), 12);
        let Outcome::Weights(steps) = &world.standing.outcome else { panic!("weights") };
        for row in rows {
            let hotkey = row.attribute("data-hotkey").unwrap();
            let cells: Vec<_> = row.children().filter(roxmltree::Node::is_element).collect();
            assert_eq!(cells.len(), headings.len());
            let value = |heading: &str| -> Option<f64> {
                let at = headings.iter().position(|h| h == heading).unwrap_or_else(|| panic!("{headings:?}"));
                cells[at].attribute("data-value").and_then(|v| v.parse().ok())
            };
            assert_eq!(value("Weight"), Some(steps.iter().find(|s| s.hotkey == hotkey).unwrap().weight));
            let total = world.standing.scores.total.get(hotkey).copied().unwrap_or(0.0);
            assert_eq!(value("Total"), Some(total), "{hotkey}");
            for scored in &world.standing.scores.challenges {
                assert_eq!(
                    value(&scored.ticker),
                    scored.shares().miners.get(hotkey).copied(),
                    "{hotkey} {}",
                    scored.ticker
                );
            }
        }
    }
}
