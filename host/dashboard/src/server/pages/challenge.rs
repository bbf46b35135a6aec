//! The challenges, and one of them.

use super::as_of::AsOf;
use super::frame::Frame;
use super::thinned;
use crate::sections::RenderError;
use crate::sections::challenges::{ChallengeBody, ChallengeHead, ChallengeTable};
use crate::sections::chart::{Figure, over_time};
use crate::sections::configuration::parameters;
use crate::sections::definitions::Definitions;
use crate::sections::filters;
use crate::sections::links::segment;
use crate::sections::text::count;
use crate::sections::view::RunView;
use askama::Template;
use mantis_config::Block;
use mantis_ledger::{Ledger, LedgerError};

#[derive(Template)]
#[template(path = "pages/challenges.html")]
struct ChallengesPage<'a> {
    frame: Frame,
    table: ChallengeTable<'a>,
    /// Challenges that are configured and not scored: the last part of the address, and the ticker.
    unscored: Vec<(String, &'a str)>,
}

#[derive(Template)]
#[template(path = "pages/challenge.html")]
struct ChallengePage<'a> {
    frame: Frame,
    ticker: &'a str,
    /// The last part of its address.
    segment: String,
    as_of: AsOf,
    /// What was scored; `None` if nothing was.
    scored: Option<(ChallengeHead<'a>, ChallengeBody<'a>)>,
    /// `None` if it is not configured any more.
    parameters: Option<Definitions>,
}

/// A table of all challenges.
pub(super) fn list(view: &RunView<'_>) -> Result<String, RenderError> {
    let tickers = view.standing.config.challenges.iter().map(|challenge| challenge.ticker.as_str());
    let unscored = tickers.filter(|ticker| view.challenge(ticker).is_none());
    let page = ChallengesPage {
        frame: Frame::new("Challenges", "/challenges"),
        table: ChallengeTable::new(view),
        unscored: unscored.map(|ticker| (segment(ticker), ticker)).collect(),
    };
    Ok(page.render()?)
}

/// The page of one challenge; `None` if there is no such challenge.
pub(super) fn page(view: &RunView<'_>, ledger: &Ledger, ticker: &str) -> Result<Option<String>, RenderError> {
    let entry = view.standing.config.challenges.iter().find(|entry| entry.ticker == ticker);
    let known = view.challenge(ticker);
    if entry.is_none() && known.is_none() {
        return Ok(None);
    }
    let scored = match known {
        Some((index, challenge)) => {
            let has_breakouts = challenge.entry.is_some_and(|entry| entry.blocks_ahead == 0);
            let states = if has_breakouts { ledger.breakout_state()? } else { Vec::new() };
            let body = ChallengeBody::new(view, index, challenge, &states, history(ledger, ticker)?);
            Some((ChallengeHead::new(challenge), body))
        }
        None => None,
    };
    let page = ChallengePage {
        frame: Frame::new(ticker, "/challenges"),
        ticker,
        segment: segment(ticker),
        as_of: AsOf::new(view.standing),
        scored,
        parameters: entry.map(|entry| parameters(entry, known.map(|(_, challenge)| challenge))),
    };
    Ok(Some(page.render()?))
}

/// How many miners it paid, and how long it took, over the computations.
fn history(ledger: &Ledger, ticker: &str) -> Result<Vec<Figure>, LedgerError> {
    let history = ledger.challenge_history(ticker)?;
    let kept: Vec<_> = thinned(history.len()).into_iter().filter_map(|i| history.get(i)).collect();
    let blocks: Vec<Block> = kept.iter().map(|line| line.block).collect();
    let paid: Vec<f64> = kept.iter().map(|line| f64::from(line.paid)).collect();
    let seconds: Vec<f64> = kept.iter().map(|line| line.seconds).collect();
    let paid = over_time("Miners paid", &blocks, &paid, |x| count(x.round() as i64));
    let seconds = over_time("Seconds", &blocks, &seconds, |x| format!("{x:.1}"));
    Ok(paid.into_iter().chain(seconds).collect())
}

#[cfg(test)]
mod tests {
    use crate::server::pages::Page;
    use crate::server::pages::test_world::{PageWorld, plain};

    #[test]
    fn a_challenges_page_shows_labels_auc_and_breakouts() {
        let world = PageWorld::new(plain, 12, 6, "x");
        let page = world.page(Page::Challenge("ETH"));
        for said in
            ["Labels: up", "AUC of 12 miners", "Who it pays", "Miners paid", "half_life_days", "not pinned"]
        {
            assert!(page.contains(said), "{said}: {page}");
        }
        let page = world.page(Page::Challenge("MULTIBREAKOUT"));
        assert!(page.contains("10 breakouts, 5 of them upwards") && page.contains("dot on"), "{page}");
        assert!(page.contains("27 more assets"), "{page}");
    }
}
