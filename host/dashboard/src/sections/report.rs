//! The report: all sections in one document.

use super::challenges::{self, ChallengeCard, ChallengeTable};
use super::configuration::ConfiguredChallenges;
use super::constants::Constants;
use super::error::RenderError;
use super::filters;
use super::inline::{InlineScript, InlineStyle};
use super::leaderboard::Leaderboard;
use super::links::Links;
use super::miners::{self, MinerCard};
use super::summary::{Extent, Summary};
use super::view::RunView;
use super::weights::WeightTable;
use crate::standing::Standing;
use askama::Template;
use mantis_config::Config;
use mantis_ledger::{Ledger, LedgerError};
use mantis_weights::{Outcome, Scores};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What the run is called: `Demo, seed 1`, or the ledger's name.
    pub title: &'a str,
    /// The configuration that was scored by.
    pub config: &'a Config,
    /// The ledger that was scored; it is only read.
    pub ledger: &'a Ledger,
    /// What came of it.
    pub scores: &'a Scores,
    /// The weights that follow.
    pub outcome: &'a Outcome,
    /// What is known of a hotkey beside its name: `skilled 0.24`. May be empty.
    pub about: &'a BTreeMap<String, String>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Report<'a> {
    title: &'a str,
    style: InlineStyle,
    script: InlineScript,
    summary: Summary<'a>,
    leaderboard: Leaderboard<'a>,
    challenge_table: ChallengeTable<'a>,
    challenges: Vec<ChallengeCard<'a>>,
    miners: Vec<MinerCard<'a>>,
    weights: WeightTable<'a>,
    configured: ConfiguredChallenges<'a>,
    constants: Constants,
    version: &'static str,
}

/// The report as one HTML document.
///
/// Everything in it that comes from outside is escaped and cut to a few lines. 256 miners in 12 challenges stay below
/// 3.5 MB. The result depends on the input alone.
///
/// # Errors
/// If the ledger cannot be read.
pub fn html(input: &Input<'_>) -> Result<String, RenderError> {
    let ledger = input.ledger;
    let standing = Standing::after_run(
        ledger,
        Arc::new(input.config.clone()),
        input.scores.clone(),
        input.outcome.clone(),
        input.about.clone(),
    )?;
    let refusals = ledger.rejections(None)?;
    let view = RunView::new(&standing, &refusals, Links::Anchors);
    let extent = extent(ledger)?;
    let report = Report {
        title: input.title,
        style: InlineStyle,
        script: InlineScript::new(),
        summary: Summary::new(&view, input.title, &extent),
        leaderboard: Leaderboard::new(&view),
        challenge_table: ChallengeTable::new(&view),
        challenges: challenges::cards(&view, &ledger.breakout_state()?),
        miners: miners::cards(&view),
        weights: WeightTable::new(&view),
        configured: ConfiguredChallenges::new(&view),
        constants: Constants::new(&standing.config),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(report.render()?)
}

fn extent(ledger: &Ledger) -> Result<Extent, LedgerError> {
    let blocks = ledger.blocks()?;
    let (first, last) = (blocks.iter().min(), blocks.iter().max());
    Ok(Extent {
        blocks: (blocks.len() as u64, first.copied().unwrap_or_default(), last.copied().unwrap_or_default()),
        rows: ledger.tickers()?.iter().map(|ticker| ticker.rows).sum(),
    })
}
