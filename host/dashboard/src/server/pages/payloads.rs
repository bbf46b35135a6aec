//! Payloads of a miner: how many were taken, and which wait to be opened.

use crate::sections::filters;
use crate::sections::text::count;
use crate::sections::time::duration_of_blocks;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::{Block, Network};
use mantis_ledger::MinerCounts;
use mantis_validator::Status;

/// Payloads of a miner.
#[derive(Template)]
#[template(path = "pages/payloads.html")]
pub(super) struct Payloads {
    counts: Option<MinerCounts>,
    /// `None` if none waits to be opened.
    sealed: Option<Sealed>,
}

impl HtmlSafe for Payloads {}

/// Payloads that wait to be opened.
struct Sealed {
    /// How many.
    waiting: usize,
    /// Blocks of the first and of the last.
    first: Block,
    last: Block,
    /// How many are due; `None` if the chain's block is not known.
    due: Option<usize>,
    /// When the first is opened, as a sentence; may be empty.
    next: String,
}

impl Payloads {
    /// `waiting` are the blocks whose payloads wait, in order.
    pub(super) fn new(
        network: &Network,
        status: Option<&Status>,
        counts: Option<MinerCounts>,
        waiting: &[Block],
    ) -> Self {
        let lag = network.maturity();
        let now = status.and_then(|status| status.chain.block);
        Self { counts, sealed: Sealed::new(waiting, lag, now) }
    }
}

impl Sealed {
    fn new(waiting: &[Block], lag: i64, now: Option<Block>) -> Option<Self> {
        let (first, last) = (*waiting.first()?, *waiting.last()?);
        let is_due = |now: Block| move |&&block: &&Block| block + lag <= now;
        let next = match now.map(|now| first + lag - now) {
            Some(left) if left > 0 => {
                let time = duration_of_blocks(left);
                format!("The first opens in {} blocks, about {time}.", count(left))
            }
            Some(_) => "The first is due and waits for the beacon.".into(),
            None => String::new(),
        };
        let due = now.map(|now| waiting.iter().filter(is_due(now)).count());
        Some(Self { waiting: waiting.len(), first, last, due, next })
    }
}
