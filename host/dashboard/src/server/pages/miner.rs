//! One miner: what it earns, how that came to be, what it sends, what was refused.

use super::as_of::AsOf;
use super::courses::Courses;
use super::frame::Frame;
use super::payloads::Payloads;
use super::thinned;
use crate::sections::RenderError;
use crate::sections::chart::{Figure, over_time};
use crate::sections::earnings::{InChallenges, Sentence};
use crate::sections::filters;
use crate::sections::filters::HOTKEY;
use crate::sections::links::segment;
use crate::sections::refused::Refused;
use crate::sections::sending::Sending;
use crate::sections::steps::Steps;
use crate::sections::text::{count, percent, short};
use crate::sections::view::{MinerView, RunView};
use askama::Template;
use mantis_config::Block;
use mantis_ledger::{Ledger, LedgerError};
use mantis_validator::Status;
use mantis_validator::agreement::Agreement;

/// Stretches of refusals that are shown.
const REFUSALS: usize = 100;

#[derive(Template)]
#[template(path = "pages/miner.html")]
struct MinerPage<'a> {
    frame: Frame,
    hotkey: &'a str,
    /// The last part of its address.
    segment: String,
    /// What is known of it beside its name; may be empty.
    about: &'a str,
    as_of: AsOf,
    /// `None` if nothing of it was scored.
    scored: Option<ScoredMiner<'a>>,
    /// What the chain gives it, in words; `None` where it gives nothing, or that is not known.
    alpha: Option<String>,
    payloads: Payloads,
}

/// A miner of which something was scored.
struct ScoredMiner<'a> {
    miner: &'a MinerView<'a>,
    sentence: Sentence<'a>,
    /// Its place, or a dash if it earns nothing.
    rank: String,
    miners: usize,
    challenges: usize,
    steps: Steps<'a>,
    /// Its weight and its salience over time.
    past: [Option<Figure>; 2],
    everywhere: InChallenges<'a>,
    sending: Option<Sending<'a>>,
    courses: Option<Courses<'a>>,
    refused: Refused<'a>,
}

/// The page of a hotkey; `None` if nothing is known of it.
pub(super) fn page(
    view: &RunView<'_>,
    status: Option<&Status>,
    ledger: &Ledger,
    hotkey: &str,
) -> Result<Option<String>, RenderError> {
    let standing = view.standing;
    let waiting = ledger.waiting(hotkey)?;
    let counts = ledger.miner_counts()?.remove(hotkey);
    let known = view.miner(hotkey);
    if known.is_none() && counts.is_none() && waiting.is_empty() && !standing.knows(hotkey) {
        return Ok(None);
    }
    let page = MinerPage {
        frame: Frame::new(format!("Miner {}", short(hotkey, HOTKEY)), "/leaderboard"),
        hotkey,
        segment: segment(hotkey),
        about: standing.about.get(hotkey).map_or("", String::as_str),
        as_of: AsOf::new(standing),
        scored: known.map(|(place, miner)| ScoredMiner::read(view, ledger, place, miner)).transpose()?,
        alpha: alpha(ledger, hotkey)?,
        payloads: Payloads::new(&standing.config.network, status, counts, &waiting),
    };
    Ok(Some(page.render()?))
}

/// What the chain gave it, when our weights were last compared with others'.
fn alpha(ledger: &Ledger, hotkey: &str) -> Result<Option<String>, LedgerError> {
    let Some(record) = ledger.last_agreement()? else { return Ok(None) };
    let agreement: Option<Agreement> = serde_json::from_str(&record.document).ok();
    let given = agreement.and_then(|agreement| agreement.alpha_per_day.get(hotkey).copied());
    Ok(given.map(|alpha| {
        format!("{alpha:.3} alpha a day at the rate of the epoch before block {}", count(record.block))
    }))
}

impl<'a> ScoredMiner<'a> {
    fn read(
        view: &'a RunView<'a>,
        ledger: &Ledger,
        place: usize,
        miner: &'a MinerView<'a>,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            miner,
            sentence: Sentence::new(view, place, miner),
            rank: if miner.total > 0.0 { (place + 1).to_string() } else { "–".into() },
            miners: view.miners.len(),
            challenges: view.challenges.len(),
            steps: Steps::new(view, miner),
            past: past(ledger, miner.hotkey)?,
            everywhere: InChallenges::in_full(view, miner),
            sending: Sending::new(view, "sending".into(), miner),
            courses: Courses::read(view, ledger, miner.hotkey)?,
            refused: Refused::new(&miner.refusals, REFUSALS),
        })
    }
}

fn past(ledger: &Ledger, hotkey: &str) -> Result<[Option<Figure>; 2], LedgerError> {
    let history = ledger.weight_history(hotkey)?;
    let kept: Vec<_> = thinned(history.len()).into_iter().filter_map(|i| history.get(i)).collect();
    let blocks: Vec<Block> = kept.iter().map(|line| line.block).collect();
    let smoothed: Vec<f64> = kept.iter().map(|line| line.weight).collect();
    let before: Vec<f64> = kept.iter().map(|line| line.salience).collect();
    Ok([
        over_time("Smoothed weight", &blocks, &smoothed, percent),
        over_time("Total salience", &blocks, &before, percent),
    ])
}

#[cfg(test)]
mod tests {
    use crate::server::pages::Page;
    use crate::server::pages::test_world::{PageWorld, plain};

    #[test]
    fn a_miners_page_says_how_its_weight_came_to_be() {
        let world = PageWorld::new(plain, 12, 6, "x");
        // Every seventh has no payload.
        let earns = |m: usize| world.standing.scores.total.get(&plain(m)).is_some_and(|total| *total > 0.0);
        let sends = |m: &usize| !m.is_multiple_of(7) && earns(*m);
        let paid = plain((0..12).find(sends).unwrap());
        let page = world.page(Page::Miner(&paid));
        for said in [
            "From salience to weight",
            "Smoothed weight",
            "Over time",
            "How it sends",
            "sealed, of blocks 10,000 to 10,400",
            "maturing",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        // The first has no payload at all: it was refused.
        let page = world.page(Page::Miner(&plain(0)));
        assert!(
            page.contains("None waits to be opened.") && page.contains("the file is not there"),
            "{page}"
        );
        assert!(page.contains("in 12 of its"), "its twin");
    }
}
