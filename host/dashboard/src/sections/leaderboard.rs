//! What each miner earns, where, and why some earn nothing.

use super::board::Board;
use super::filters;
use super::view::{MinerView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_ledger::RejectionCounts;
use std::collections::BTreeMap;

/// Miners that earn nothing up to which they are shown at once.
const OPEN: usize = 30;

/// All miners, then the reasons of those that earn nothing.
#[derive(Template)]
#[template(path = "sections/leaderboard.html")]
pub(crate) struct Leaderboard<'a> {
    /// How many miners are paid.
    paid: usize,
    /// `None` if no miner is known.
    board: Option<Board<'a>>,
    unpaid: Vec<Unpaid<'a>>,
    is_open: bool,
}

/// A miner that earns nothing.
struct Unpaid<'a> {
    miner: &'a MinerView<'a>,
    why: WhyNothing<'a>,
}

/// Why a miner earns nothing: what most challenges say, and what was refused most often.
#[derive(Clone, Debug, Template)]
#[template(path = "sections/why_nothing.html")]
pub(super) struct WhyNothing<'a> {
    reason: &'a str,
    /// How many challenges say so, of how many that say anything; `None` if all agree.
    agreement: Option<(usize, usize)>,
    /// How often it was refused.
    refused: u64,
    most: Option<&'a RejectionCounts>,
}

impl HtmlSafe for Leaderboard<'_> {}
impl HtmlSafe for WhyNothing<'_> {}

impl<'a> Leaderboard<'a> {
    pub(crate) fn new(view: &'a RunView<'a>) -> Self {
        let all: Vec<&MinerView<'_>> = view.miners.iter().collect();
        let unpaid: Vec<Unpaid<'_>> = view
            .miners
            .iter()
            .filter(|miner| miner.total <= 0.0)
            .map(|miner| Unpaid { miner, why: WhyNothing::new(miner) })
            .collect();
        Self {
            paid: view.paid(),
            board: (!all.is_empty()).then(|| Board::new(view, &all)),
            is_open: unpaid.len() <= OPEN,
            unpaid,
        }
    }
}

impl<'a> WhyNothing<'a> {
    pub(super) fn new(miner: &MinerView<'a>) -> Self {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for report in miner.entries.iter().filter_map(|entry| entry.report) {
            let reason = report.why_zero.as_ref().map_or("no reason is given", |why| &why.text);
            *reasons.entry(reason).or_default() += 1;
        }
        let all = reasons.values().sum();
        let most = reasons.iter().max_by_key(|(_, times)| **times);
        Self {
            reason: most.map_or("no prediction of it is stored (zeros count as none)", |(reason, _)| reason),
            agreement: most.filter(|_| reasons.len() > 1).map(|(_, times)| (*times, all)),
            refused: miner.refusals.iter().map(|counts| counts.times).sum(),
            most: miner.refusals.iter().max_by_key(|counts| (counts.times, counts.last_block)).copied(),
        }
    }
}
