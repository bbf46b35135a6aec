//! The weights, UID by UID.

use super::filters;
use super::view::{MinerLink, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_weights::{Outcome, Settlement, WeightsRejection};

/// UIDs up to which all are shown at once.
const OPEN: usize = 40;
/// The name of the UID that is given the burn in a run without a metagraph.
const BURN: &str = "(burn)";

/// Every UID's way to its weight, under a heading with the id `h-weights`.
#[derive(Template)]
#[template(path = "sections/weights.html")]
pub(crate) struct WeightTable<'a> {
    rejection: Option<&'a WeightsRejection>,
    uids: usize,
    is_open: bool,
    /// UIDs that are given a weight.
    rows: Vec<Row<'a>>,
}

impl HtmlSafe for WeightTable<'_> {}

struct Row<'a> {
    step: &'a Settlement,
    /// `None` for a name that is not a miner's.
    miner: Option<MinerLink<'a>>,
    /// Its weight, as a part of the largest.
    bar: f64,
    on_chain: u16,
    note: &'static str,
}

impl<'a> WeightTable<'a> {
    pub(crate) fn new(view: &'a RunView<'a>) -> Self {
        let standing = view.standing;
        let steps = standing.outcome.settlements();
        let most = steps.iter().map(|step| step.weight).fold(0.0, f64::max);
        let network = &standing.config.network;
        let burn_uid = network.burn_uid;
        let is_retired = |step: &Settlement| network.is_retired(step.uid, &step.hotkey);
        let row = |step: &'a Settlement| Row {
            step,
            miner: (step.hotkey != BURN).then(|| view.link(&step.hotkey)),
            bar: if most > 0.0 { step.weight / most } else { 0.0 },
            on_chain: standing.on_chain(step.uid),
            note: match (step.uid == burn_uid, step.young) {
                _ if is_retired(step) => "retired",
                (true, _) => "takes the burn",
                (_, true) => "young",
                _ => "",
            },
        };
        Self {
            rejection: match &standing.outcome {
                Outcome::Rejected(reason) => Some(reason),
                Outcome::Weights(_) => None,
            },
            uids: steps.len(),
            is_open: steps.len() <= OPEN,
            rows: steps.iter().filter(|step| step.weight > 0.0 || is_retired(step)).map(row).collect(),
        }
    }
}
