//! What each challenge says about the market, which miners it pays, and why others earn nothing.

use super::breakouts::Breakouts;
use super::chart::{Figure, prices};
use super::facts::{self, Labels, Reason};
use super::filters;
use super::numbers::Numbers;
use super::text::{clean, count};
use super::view::{ChallengeView, MinerLink, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_plugin_api::MinerReport;

/// Miners whose bars are shown at once.
const SHOWN: usize = 10;

/// A table of all challenges, under a heading with the id `h-challenges`.
#[derive(Template)]
#[template(path = "sections/challenge_table.html")]
pub(crate) struct ChallengeTable<'a> {
    challenges: &'a [ChallengeView<'a>],
    /// The largest part of all weights.
    most: f64,
}

/// What a challenge is, and why it pays no miner if it does not.
#[derive(Template)]
#[template(path = "sections/challenge_head.html")]
pub(crate) struct ChallengeHead<'a> {
    challenge: &'a ChallengeView<'a>,
}

/// Prices, labels, how well miners tell them, which it pays and why not others, breakouts, all numbers.
#[derive(Template)]
#[template(path = "sections/challenge_body.html")]
pub(crate) struct ChallengeBody<'a> {
    prices: Option<Figure>,
    /// `None` if the plugin gave no numbers.
    facts: Option<Vec<(&'a str, String)>>,
    labels: Option<Labels>,
    distribution: Option<Figure>,
    payees: Vec<Payee<'a>>,
    /// Payees that are not among those.
    more_payees: usize,
    reasons: Vec<Reason<'a>>,
    history: Vec<Figure>,
    breakouts: Option<Breakouts<'a>>,
    numbers: Option<Numbers<'a>>,
}

/// A miner that a challenge pays.
struct Payee<'a> {
    miner: MinerLink<'a>,
    about: &'a str,
    share: f64,
    /// Its share, as a part of the largest.
    bar: f64,
}

/// A challenge in the report.
pub(super) struct ChallengeCard<'a> {
    pub(super) challenge: &'a ChallengeView<'a>,
    pub(super) head: ChallengeHead<'a>,
    pub(super) body: ChallengeBody<'a>,
}

impl HtmlSafe for ChallengeTable<'_> {}
impl HtmlSafe for ChallengeHead<'_> {}
impl HtmlSafe for ChallengeBody<'_> {}

impl<'a> ChallengeTable<'a> {
    pub(crate) fn new(view: &'a RunView<'a>) -> Self {
        let most = view.challenges.iter().map(|challenge| challenge.counts).fold(0.0, f64::max);
        Self { challenges: &view.challenges, most: if most > 0.0 { most } else { 1.0 } }
    }
}

impl<'a> ChallengeHead<'a> {
    pub(crate) fn new(challenge: &'a ChallengeView<'a>) -> Self {
        Self { challenge }
    }
}

impl<'a> ChallengeBody<'a> {
    /// What is said of the challenge with an index. `states` are the ledger's breakout states, `history` charts of the
    /// computations before.
    pub(crate) fn new(
        view: &'a RunView<'a>,
        index: usize,
        challenge: &'a ChallengeView<'a>,
        states: &[(String, String)],
        history: Vec<Figure>,
    ) -> Self {
        let scored = challenge.scored;
        let (all, miners) =
            scored.salience.as_ref().map_or((&[][..], &[][..]), |s| (&s.facts[..], &s.miners[..]));
        let mut order: Vec<(&String, &MinerReport)> = scored.hotkeys.iter().zip(miners).collect();
        let share = |hotkey: &str| challenge.share(hotkey);
        order.sort_by(|a, b| share(b.0).total_cmp(&share(a.0)).then(a.0.cmp(b.0)));
        let payee = |&(hotkey, _): &(&'a String, &MinerReport)| Payee {
            miner: view.link(hotkey),
            about: view.standing.about.get(hotkey).map_or("", String::as_str),
            share: share(hotkey),
            bar: share(hotkey) / challenge.best,
        };
        let key = challenge.entry.and_then(|entry| entry.price_key.as_deref());
        let name = clean(key.unwrap_or(&scored.ticker));
        let sample_every = view.standing.config.network.sample_every;
        Self {
            prices: challenge.series.as_ref().map(|series| prices(series, &name, sample_every)),
            facts: (!all.is_empty()).then(|| facts::list(all)),
            labels: facts::labels(all),
            distribution: facts::distribution(miners),
            payees: order.iter().take(challenge.paid.min(SHOWN)).map(payee).collect(),
            more_payees: challenge.paid.saturating_sub(SHOWN),
            reasons: facts::why_not(miners),
            history,
            breakouts: Breakouts::new(challenge, states),
            numbers: (!order.is_empty()).then(|| Numbers::new(view, index, challenge, &order)),
        }
    }
}

/// All challenges on one page; `states` are the ledger's breakout states.
pub(super) fn cards<'a>(view: &'a RunView<'a>, states: &[(String, String)]) -> Vec<ChallengeCard<'a>> {
    let card = |(i, challenge)| ChallengeCard {
        challenge,
        head: ChallengeHead::new(challenge),
        body: ChallengeBody::new(view, i, challenge, states, Vec::new()),
    };
    view.challenges.iter().enumerate().map(card).collect()
}

/// How far a challenge looks ahead.
pub(super) fn horizon(blocks: u32) -> String {
    match blocks {
        0 => "no fixed horizon".into(),
        blocks => format!("{} blocks ahead ({})", count(blocks), hours(blocks)),
    }
}

/// The time that so many blocks take.
fn hours(blocks: u32) -> String {
    let minutes = f64::from(blocks) / 5.0;
    if minutes < 120.0 {
        format!("{minutes:.0} min")
    } else {
        format!("{:.1} h", minutes / 60.0).replace(".0 ", " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_are_in_the_unit_that_people_use() {
        assert_eq!([300, 500, 1200, 2400, 1825].map(hours), ["60 min", "100 min", "4 h", "8 h", "6.1 h"]);
    }
}
