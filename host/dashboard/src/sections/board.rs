//! Tables of miners: of all challenges together, and of one.

use super::filters;
use super::svg::{Svg, heat, spark};
use super::view::{ChallengeView, MinerInChallenge, MinerView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;

/// A table of miners with a column per challenge that pays.
#[derive(Template)]
#[template(path = "sections/board.html")]
pub(crate) struct Board<'a> {
    tickers: Vec<&'a str>,
    any_about: bool,
    any_past: bool,
    rows: Vec<Row<'a>>,
}

impl HtmlSafe for Board<'_> {}

struct Row<'a> {
    miner: &'a MinerView<'a>,
    rank: Option<usize>,
    /// Its weight, as a part of the largest.
    bar: f64,
    /// How its weight changed, and the drawing of it.
    change: f64,
    trend: Svg,
    /// One per column.
    cells: Vec<Option<Heat>>,
}

/// A cell that is coloured by how much it is.
struct Heat {
    level: u8,
    share: f64,
    text: String,
}

impl<'a> Board<'a> {
    pub(crate) fn new(view: &'a RunView<'a>, miners: &[&'a MinerView<'a>]) -> Self {
        let columns: Vec<usize> =
            view.challenges.iter().enumerate().filter(|(_, c)| c.paid > 0).map(|(i, _)| i).collect();
        let cells_of = |miner: &'a MinerView<'a>| columns.iter().filter_map(move |&c| miner.entries.get(c));
        let most = miners.iter().flat_map(|miner| cells_of(miner)).map(|cell| cell.share).fold(0.0, f64::max);
        // The UID that is given the burn would make all others look small.
        let burn_uid = view.standing.config.network.burn_uid;
        let earning = miners.iter().filter(|miner| miner.step.is_none_or(|step| step.uid != burn_uid));
        let heaviest = earning.map(|miner| miner.weight()).fold(0.0, f64::max);
        let row = |&miner: &&'a MinerView<'a>| {
            let (first, last) = (miner.past.first().copied(), miner.past.last().copied());
            let place = view.miner(miner.hotkey).filter(|_| miner.total > 0.0);
            Row {
                miner,
                rank: place.map(|(place, _)| place + 1),
                bar: if heaviest > 0.0 { miner.weight() / heaviest } else { 0.0 },
                change: last.unwrap_or(0.0) - first.unwrap_or(0.0),
                trend: spark(miner.past),
                cells: cells_of(miner).map(|cell| Heat::new(cell, most)).collect(),
            }
        };
        Self {
            tickers: columns.iter().filter_map(|&c| view.challenges.get(c)).map(|c| c.ticker()).collect(),
            any_about: miners.iter().any(|miner| !miner.about.is_empty()),
            any_past: miners.iter().any(|miner| miner.past.len() > 1),
            rows: miners.iter().map(row).collect(),
        }
    }
}

impl Heat {
    /// `None` for a miner that the challenge knows nothing of; `most` is the largest share in the table.
    fn new(cell: &MinerInChallenge<'_>, most: f64) -> Option<Self> {
        let share = cell.share;
        cell.report.map(|_| match share {
            _ if share >= 0.0005 => {
                Self { level: heat(share, most), share, text: format!("{:.1}", 100.0 * share) }
            }
            _ if share > 0.0 => Self { level: 1, share, text: "<.1".into() },
            _ => Self { level: 0, share: 0.0, text: "·".into() },
        })
    }
}

/// A table of all miners of one challenge, best first, with how they send.
#[derive(Template)]
#[template(path = "sections/challenge_board.html")]
pub(crate) struct ChallengeBoard<'a> {
    any_about: bool,
    rows: Vec<ChallengeRow<'a>>,
}

impl HtmlSafe for ChallengeBoard<'_> {}

struct ChallengeRow<'a> {
    miner: &'a MinerView<'a>,
    rank: Option<usize>,
    share: f64,
    /// Its share, as a part of the largest.
    bar: f64,
    coverage: Option<f64>,
    why: &'a str,
}

impl<'a> ChallengeBoard<'a> {
    pub(crate) fn new(view: &'a RunView<'a>, index: usize, challenge: &ChallengeView<'_>) -> Self {
        let mut miners: Vec<(&MinerView<'_>, &MinerInChallenge<'_>)> = view
            .miners
            .iter()
            .filter_map(|miner| miner.entries.get(index).map(|entry| (miner, entry)))
            .filter(|(_, entry)| entry.report.is_some())
            .collect();
        miners.sort_by(|a, b| b.1.share.total_cmp(&a.1.share).then(a.0.hotkey.cmp(b.0.hotkey)));
        let row = |&(miner, entry): &(&'a MinerView<'a>, &'a MinerInChallenge<'a>)| ChallengeRow {
            miner,
            rank: entry.rank,
            share: entry.share,
            bar: entry.share / challenge.best,
            coverage: coverage(entry),
            why: entry.report.and_then(|report| report.why_zero.as_ref()).map_or("", |why| &why.text),
        };
        Self {
            any_about: miners.iter().any(|(miner, _)| !miner.about.is_empty()),
            rows: miners.iter().map(row).collect(),
        }
    }
}

/// The part of the last day's rows that a miner is in; `None` if there were none.
pub(super) fn coverage(entry: &MinerInChallenge<'_>) -> Option<f64> {
    let activity = entry.activity.filter(|activity| activity.rows > 0)?;
    Some(f64::from(activity.present) / f64::from(activity.rows))
}
