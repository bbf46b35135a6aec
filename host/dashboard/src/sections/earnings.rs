//! What a miner earns, in a sentence and challenge by challenge.

use super::facts::{FactValue, miner_value};
use super::filters;
use super::leaderboard::WhyNothing;
use super::view::{ChallengeView, MinerInChallenge, MinerView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;

/// Numbers of a miner in a challenge at most.
pub(super) const FACTS_EACH: usize = 20;

/// What a miner earns, in a sentence.
#[derive(Template)]
#[template(path = "sections/sentence.html")]
pub(crate) struct Sentence<'a> {
    earnings: Earnings<'a>,
}

enum Earnings<'a> {
    Nothing(WhyNothing<'a>),
    Something {
        rank: usize,
        miners: usize,
        total: f64,
        /// The challenge that most of it comes from, and which part.
        most: Option<(&'a ChallengeView<'a>, f64)>,
    },
}

/// A miner in each challenge, first where it earns most.
#[derive(Template)]
#[template(path = "sections/in_challenges.html")]
pub(crate) struct InChallenges<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    challenge: &'a ChallengeView<'a>,
    share: f64,
    rank: Option<usize>,
    /// Its share, as a part of the largest.
    bar: f64,
    /// What it adds to the miner's total.
    adds: f64,
    /// Why it is paid nothing, if it is.
    why: String,
    facts: Vec<(&'a str, FactValue<'a>)>,
    /// Numbers that are not among those.
    more: usize,
}

impl HtmlSafe for Sentence<'_> {}
impl HtmlSafe for InChallenges<'_> {}

impl<'a> Sentence<'a> {
    /// About the miner at a place, best first from 0.
    pub(crate) fn new(view: &'a RunView<'a>, place: usize, miner: &MinerView<'a>) -> Self {
        if miner.total <= 0.0 {
            return Self { earnings: Earnings::Nothing(WhyNothing::new(miner)) };
        }
        let challenges = miner.entries.iter().zip(&view.challenges);
        let mut parts: Vec<(&ChallengeView<'_>, f64)> =
            challenges.map(|(entry, challenge)| (challenge, entry.share * challenge.counts)).collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let most = parts.first().map(|(challenge, part)| (*challenge, (part / miner.total).min(1.0)));
        let (rank, miners) = (place + 1, view.miners.len());
        Self { earnings: Earnings::Something { rank, miners, total: miner.total, most } }
    }
}

impl<'a> InChallenges<'a> {
    /// With so many numbers for each challenge at most.
    pub(crate) fn new(view: &'a RunView<'a>, miner: &'a MinerView<'a>, facts: usize) -> Self {
        let entries = miner.entries.iter().zip(&view.challenges).enumerate();
        let mut entries: Vec<Entry<'_>> =
            entries.map(|(i, (entry, challenge))| Entry::new(view, i, challenge, entry, facts)).collect();
        entries.sort_by(|a, b| b.adds.total_cmp(&a.adds));
        Self { entries }
    }

    /// With all numbers that a page of one miner has room for.
    pub(crate) fn in_full(view: &'a RunView<'a>, miner: &'a MinerView<'a>) -> Self {
        Self::new(view, miner, FACTS_EACH)
    }
}

impl<'a> Entry<'a> {
    fn new(
        view: &'a RunView<'a>,
        index: usize,
        challenge: &'a ChallengeView<'a>,
        entry: &MinerInChallenge<'a>,
        shown: usize,
    ) -> Self {
        let facts = entry.report.map_or(&[][..], |report| &report.facts);
        let why = entry.rank.is_none().then(|| challenge.scored.why_nothing(entry.report).text);
        Self {
            challenge,
            share: entry.share,
            rank: entry.rank,
            bar: entry.share / challenge.best,
            adds: entry.share * challenge.counts,
            why: why.unwrap_or_default(),
            facts: facts
                .iter()
                .take(shown)
                .map(|fact| (fact.name.as_str(), miner_value(view, index, fact)))
                .collect(),
            more: facts.len().saturating_sub(shown),
        }
    }
}
