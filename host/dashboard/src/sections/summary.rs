//! What a run comes to, at a glance.

use super::filters;
use super::spread::Spread;
use super::view::{MinerView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::{Block, Network};
use mantis_network::chain::BLOCK_SECONDS;
use mantis_weights::{Outcome, WeightsRejection};

/// How much a ledger holds.
pub(super) struct Extent {
    /// Sampled blocks: how many, first, last.
    pub(super) blocks: (u64, Block, Block),
    /// Rows of all tickers.
    pub(super) rows: u64,
}

/// The head of the report: what was earned, from how much.
#[derive(Template)]
#[template(path = "sections/summary.html")]
pub(super) struct Summary<'a> {
    title: &'a str,
    /// The miner that earns most; `None` if none earns anything.
    best: Option<&'a MinerView<'a>>,
    miners: usize,
    paid: usize,
    challenges: usize,
    /// Challenges that pay and count.
    paying: usize,
    no_weights: NoWeights<'a>,
    extent: &'a Extent,
    days: f64,
    memory_mib: u64,
    /// Scoring time of all challenges, s.
    seconds: f64,
    refusals: u64,
    /// Miners that were refused something.
    refused: usize,
    spread: Option<Spread>,
    how: HowWeightsComeAbout<'a>,
}

/// Why no weights would be set; empty if they would.
#[derive(Template)]
#[template(path = "sections/no_weights.html")]
pub(crate) struct NoWeights<'a> {
    reason: Option<&'a WeightsRejection>,
}

/// How a weight comes about, in words.
#[derive(Template)]
#[template(path = "sections/how.html")]
pub(crate) struct HowWeightsComeAbout<'a> {
    network: &'a Network,
}

impl HtmlSafe for Summary<'_> {}
impl HtmlSafe for NoWeights<'_> {}
impl HtmlSafe for HowWeightsComeAbout<'_> {}

impl<'a> Summary<'a> {
    pub(super) fn new(view: &'a RunView<'a>, title: &'a str, extent: &'a Extent) -> Self {
        let scores = &view.standing.scores;
        let (_, first, last) = extent.blocks;
        Self {
            title,
            best: view.miners.first().filter(|best| best.total > 0.0),
            miners: view.miners.len(),
            paid: view.paid(),
            challenges: view.challenges.len(),
            paying: view
                .challenges
                .iter()
                .filter(|challenge| challenge.pays() && !challenge.is_shadow())
                .count(),
            no_weights: NoWeights::new(view),
            extent,
            days: (last - first) as f64 * BLOCK_SECONDS as f64 / 86_400.0,
            memory_mib: scores.peak_rss_kib / 1024,
            seconds: scores.challenges.iter().map(|scored| scored.seconds).sum(),
            refusals: view.refusals.iter().map(|counts| counts.times).sum(),
            refused: view.miners.iter().filter(|miner| !miner.refusals.is_empty()).count(),
            spread: Spread::new(view),
            how: HowWeightsComeAbout::new(view),
        }
    }
}

impl<'a> NoWeights<'a> {
    pub(crate) fn new(view: &RunView<'a>) -> Self {
        let reason = match &view.standing.outcome {
            Outcome::Rejected(reason) => Some(reason),
            Outcome::Weights(_) => None,
        };
        Self { reason }
    }
}

impl<'a> HowWeightsComeAbout<'a> {
    pub(crate) fn new(view: &RunView<'a>) -> Self {
        Self { network: &view.standing.config.network }
    }
}
