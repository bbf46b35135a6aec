//! A miner's way from salience to weight.

use super::filters;
use super::text::percent;
use super::view::{MinerView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Network;
use mantis_weights::{Outcome, Settlement};

/// The steps from a miner's salience to its weight.
#[derive(Template)]
#[template(path = "sections/steps.html")]
pub(crate) struct Steps<'a> {
    /// `None` if the miner has no UID, or no weights came of the computation.
    taken: Option<(&'a Settlement, [Row; 4])>,
    on_chain: u16,
    /// Whether weights came of the computation.
    is_settled: bool,
}

/// One step.
struct Row {
    name: &'static str,
    value: f64,
    /// Its value, as a part of the largest.
    bar: f64,
    what: String,
}

impl HtmlSafe for Steps<'_> {}

impl<'a> Steps<'a> {
    pub(crate) fn new(view: &RunView<'_>, miner: &MinerView<'a>) -> Self {
        let network = &view.standing.config.network;
        Self {
            taken: miner.step.map(|step| (step, rows(step, network))),
            on_chain: miner.on_chain,
            is_settled: matches!(view.standing.outcome, Outcome::Weights(_)),
        }
    }
}

fn rows(step: &Settlement, network: &Network) -> [Row; 4] {
    let young = if step.young {
        "young: a fixed small weight instead of its salience"
    } else {
        "its part of what the registered miners earn"
    };
    let given = if step.uid == network.burn_uid { ", and it is given the burn" } else { "" };
    let smoothed = match step.previous {
        _ if network.is_retired(step.uid, &step.hotkey) => {
            "retired by the subnet\u{2019}s owner: what it would weigh is burned".into()
        }
        Some(previous) => {
            format!("{} new, the rest last time's {}", percent(network.ema), percent(previous))
        }
        None => "there is no last time to smooth with".into(),
    };
    let Settlement { salience, share, burned, weight, .. } = *step;
    let largest = [salience, share, burned, weight].into_iter().fold(f64::MIN_POSITIVE, f64::max);
    let row = |name, value: f64, what| Row { name, value, bar: value / largest, what };
    [
        row("Salience", salience, "of all challenges by their weights".into()),
        row("Share", share, young.into()),
        row("After the burn", burned, format!("less {}{given}", percent(network.burn))),
        row("Weight", weight, smoothed),
    ]
}
