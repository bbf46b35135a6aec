//! Each miner: what it earns, and every reason.

use super::chart::{Figure, over_time};
use super::earnings::{FACTS_EACH, InChallenges, Sentence};
use super::refused::Refused;
use super::sending::Sending;
use super::steps::Steps;
use super::text::percent;
use super::view::{MinerView, RunView};

/// Refusals on the whole page, and of one miner at most and in any case.
const REFUSALS: usize = 1000;
const MOST: usize = 25;
const FEWEST: usize = 3;
/// Numbers on the whole page.
const FACTS: usize = 14_000;
/// Miners up to which it is shown how each sends.
const SENDING: usize = 64;

/// A miner in the report.
pub(super) struct MinerCard<'a> {
    pub(super) miner: &'a MinerView<'a>,
    /// Its place, if it is paid.
    pub(super) rank: Option<usize>,
    pub(super) sentence: Sentence<'a>,
    pub(super) challenges: InChallenges<'a>,
    pub(super) sending: Option<Sending<'a>>,
    pub(super) steps: Steps<'a>,
    pub(super) past: Option<Figure>,
    pub(super) refused: Refused<'a>,
}

/// All miners on one page. The more there are, the less is shown of each, so that the page stays small.
pub(super) fn cards<'a>(view: &'a RunView<'a>) -> Vec<MinerCard<'a>> {
    let refusals = (REFUSALS / view.miners.len().max(1)).clamp(FEWEST, MOST);
    let facts = facts_each(view);
    let sends = view.miners.len() <= SENDING;
    let card = |(i, miner): (usize, &'a MinerView<'a>)| MinerCard {
        miner,
        rank: (miner.total > 0.0).then_some(i + 1),
        sentence: Sentence::new(view, i, miner),
        challenges: InChallenges::new(view, miner, facts),
        sending: sends.then(|| Sending::new(view, format!("sends-{i}"), miner)).flatten(),
        steps: Steps::new(view, miner),
        past: over_time("Weight", &view.standing.past.blocks, miner.past, percent),
        refused: Refused::new(&miner.refusals, refusals),
    };
    view.miners.iter().enumerate().map(card).collect()
}

/// As many numbers per miner and challenge as there is room for, at least 1.
fn facts_each(view: &RunView<'_>) -> usize {
    let reports = || view.miners.iter().flat_map(|miner| &miner.entries).filter_map(|entry| entry.report);
    let fits = |each: &usize| reports().map(|report| report.facts.len().min(*each)).sum::<usize>() <= FACTS;
    (1..=FACTS_EACH).rev().find(fits).unwrap_or(1)
}
