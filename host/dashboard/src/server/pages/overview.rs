//! What goes on, which miners earn most, what was refused.

use super::as_of::AsOf;
use super::frame::Frame;
use super::live::Live;
use crate::sections::RenderError;
use crate::sections::board::Board;
use crate::sections::filters;
use crate::sections::spread::Spread;
use crate::sections::summary::{HowWeightsComeAbout, NoWeights};
use crate::sections::view::{MinerLink, MinerView, RunView};
use askama::Template;
use mantis_ledger::{Ledger, RejectionCounts};
use mantis_validator::Status;

/// Miners that are shown.
const TOP: usize = 10;
/// Refusals that are shown.
const REFUSALS: usize = 12;

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct Overview<'a> {
    frame: Frame,
    netuid: u16,
    live: Live,
    as_of: AsOf,
    no_weights: NoWeights<'a>,
    /// The miners that earn most; `None` if none earns anything.
    top: Option<Board<'a>>,
    miners: usize,
    spread: Option<Spread>,
    /// The newest refusals.
    refusals: Vec<(MinerLink<'a>, &'a RejectionCounts)>,
    how: HowWeightsComeAbout<'a>,
}

pub(super) fn page(
    view: &RunView<'_>,
    status: Option<&Status>,
    ledger: &Ledger,
) -> Result<String, RenderError> {
    let top: Vec<&MinerView<'_>> = view.miners.iter().filter(|miner| miner.total > 0.0).take(TOP).collect();
    let refusals = view.refusals.iter().take(REFUSALS);
    let page = Overview {
        frame: Frame::new("Overview", "/"),
        netuid: view.standing.config.network.netuid,
        live: Live::read(view.standing, status, ledger)?,
        as_of: AsOf::new(view.standing),
        no_weights: NoWeights::new(view),
        top: (!top.is_empty()).then(|| Board::new(view, &top)),
        miners: view.miners.len(),
        spread: Spread::new(view),
        refusals: refusals.map(|counts| (view.link(&counts.last.hotkey), counts)).collect(),
        how: HowWeightsComeAbout::new(view),
    };
    Ok(page.render()?)
}
