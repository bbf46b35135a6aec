//! How a miner sends: coverage, staleness and twins by challenge.

use super::board::coverage;
use super::filters;
use super::text::count;
use super::view::{ChallengeView, MinerLink, MinerView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Sidx;
use mantis_ledger::Activity;

/// How a miner sent in the last day, by challenge.
#[derive(Template)]
#[template(path = "sections/sending.html")]
pub(crate) struct Sending<'a> {
    id: String,
    rows: Vec<Row<'a>>,
}

impl HtmlSafe for Sending<'_> {}

struct Row<'a> {
    challenge: &'a ChallengeView<'a>,
    activity: &'a Activity,
    /// The part of the day's rows that it is in; `None` if there were none.
    coverage: Option<f64>,
    /// Blocks of the last row that it is in, and of the last that differs from the one before.
    last: String,
    changed: String,
    twin: Option<MinerLink<'a>>,
}

impl<'a> Sending<'a> {
    /// A table with an id; `None` if nothing is known of how the miner sends.
    pub(crate) fn new(view: &'a RunView<'a>, id: String, miner: &'a MinerView<'a>) -> Option<Self> {
        let sample_every = view.standing.config.network.sample_every;
        let block = |sidx: Sidx| count(sidx.block(sample_every));
        let entries = miner.entries.iter().zip(&view.challenges);
        let rows: Vec<Row<'_>> = entries
            .filter_map(|(entry, challenge)| {
                let activity = entry.activity?;
                Some(Row {
                    challenge,
                    activity,
                    coverage: coverage(entry),
                    last: block(activity.last_sidx),
                    changed: block(activity.changed_sidx),
                    twin: activity.twin.as_ref().map(|twin| view.link(twin)),
                })
            })
            .collect();
        (!rows.is_empty()).then_some(Self { id, rows })
    }
}
