//! The dashboard's pages: made by the server, read without a script, changed by nothing that somebody does on them.

mod challenge;
mod configuration;
mod frame;
mod leaderboard;
mod live;
mod miner;
mod overview;
mod weights;

use crate::sections::view::{Matter, View};
use crate::standing::Standing;
use mantis_ledger::{Ledger, LedgerError};
use mantis_validator::{Status, unix as now};

pub use frame::fault;
pub use live::live;

/// One page of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// `/`: what goes on, who earns most, what was refused.
    Overview,
    /// `/leaderboard`, or `/leaderboard/TICKER`: all miners.
    Leaderboard {
        /// The challenge; `None` for all together.
        challenge: Option<&'a str>,
    },
    /// `/miners/HOTKEY`.
    Miner(&'a str),
    /// `/challenges`.
    Challenges,
    /// `/challenges/TICKER`.
    Challenge(&'a str),
    /// `/weights?offset=N`.
    Weights {
        /// Computations and attempts that are left out, newest first.
        offset: u32,
    },
    /// `/configuration`, with what would be under other weights.
    Configuration,
}

/// A page as one HTML document; `None` where there is no such miner or challenge.
///
/// `live` is what a validator is doing, where one runs.
///
/// # Errors
/// If the ledger cannot be read.
pub fn render(
    page: &Page<'_>,
    standing: &Standing,
    live: Option<&Status>,
    ledger: &Ledger,
) -> Result<Option<String>, LedgerError> {
    // Some miners are known by their refusals alone.
    let refusals = match page {
        Page::Miner(_) | Page::Overview | Page::Leaderboard { .. } => ledger.rejections(None)?,
        _ => Vec::new(),
    };
    let matter = Matter::of(standing, &refusals);
    let view = View::new(&matter);
    match *page {
        Page::Overview => overview::page(&view, standing, live, ledger).map(Some),
        Page::Leaderboard { challenge } => Ok(leaderboard::page(&view, standing, challenge)),
        Page::Miner(hotkey) => miner::page(&view, standing, live, ledger, hotkey),
        Page::Challenges => Ok(Some(challenge::list(&view))),
        Page::Challenge(ticker) => challenge::page(&view, standing, ledger, ticker),
        Page::Weights { offset } => weights::page(&view, ledger, offset).map(Some),
        Page::Configuration => Ok(Some(configuration::page(&view, live))),
    }
}

#[cfg(test)]
mod pages_test;
