//! The dashboard's pages: made by the server, and read without a script. Nothing is changed by what is done on them.

mod as_of;
mod challenge;
mod configuration;
mod courses;
mod frame;
mod leaderboard;
mod live;
mod miner;
mod overview;
mod payloads;
mod tile;
mod weights;

use crate::sections::RenderError;
use crate::sections::links::Links;
use crate::sections::view::RunView;
use crate::standing::Standing;
use mantis_ledger::Ledger;
use mantis_validator::{Status, unix as now};

pub use frame::error_page;
pub use live::live;

/// Computations that a curve is drawn through.
const DRAWN: usize = 200;

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

/// A page as one HTML document; `None` if there is no such miner or challenge.
///
/// `live` is what a validator is doing, if one runs.
///
/// # Errors
/// If the ledger cannot be read.
pub fn render(
    page: &Page<'_>,
    standing: &Standing,
    live: Option<&Status>,
    ledger: &Ledger,
) -> Result<Option<String>, RenderError> {
    // Some miners are known by their refusals alone.
    let refusals = match page {
        Page::Miner(_) | Page::Overview | Page::Leaderboard { .. } => ledger.rejections(None)?,
        _ => Vec::new(),
    };
    let view = RunView::new(standing, &refusals, Links::Pages);
    match *page {
        Page::Overview => overview::page(&view, live, ledger).map(Some),
        Page::Leaderboard { challenge } => leaderboard::page(&view, challenge),
        Page::Miner(hotkey) => miner::page(&view, live, ledger, hotkey),
        Page::Challenges => challenge::list(&view).map(Some),
        Page::Challenge(ticker) => challenge::page(&view, ledger, ticker),
        Page::Weights { offset } => weights::page(&view, ledger, offset).map(Some),
        Page::Configuration => configuration::page(&view, live).map(Some),
    }
}

/// Which of so many are drawn: evenly spread, the ends among them.
fn thinned(count: usize) -> Vec<usize> {
    let shown = count.min(DRAWN);
    let last = count.saturating_sub(1);
    (0..shown).map(|i| if shown > 1 { i * last / (shown - 1) } else { last }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_always_drawn() {
        assert_eq!(thinned(0), Vec::<usize>::new());
        assert_eq!(thinned(3), [0, 1, 2]);
        let many = thinned(1000);
        assert_eq!((many.len(), many.first(), many.last()), (DRAWN, Some(&0), Some(&999)));
    }
}

#[cfg(test)]
mod pages_test;
#[cfg(test)]
mod test_world;
