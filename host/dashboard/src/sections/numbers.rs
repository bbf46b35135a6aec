//! Every number of every miner in a challenge.

use super::facts::{COLUMNS, FactValue, miner_value};
use super::filters;
use super::text::clean_to;
use super::view::{ChallengeView, MinerLink, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_plugin_api::MinerReport;

/// Characters of a reason.
const WHY: usize = 120;

/// A table of all miners of a challenge.
#[derive(Template)]
#[template(path = "sections/numbers.html")]
pub(super) struct Numbers<'a> {
    id: String,
    names: Vec<&'a str>,
    rows: Vec<Row<'a>>,
}

impl HtmlSafe for Numbers<'_> {}

struct Row<'a> {
    miner: MinerLink<'a>,
    share: f64,
    /// One per name, if the miner has it.
    values: Vec<Option<FactValue<'a>>>,
    why: String,
}

impl<'a> Numbers<'a> {
    /// The table of the challenge with an index; its miners in the order that they are given in.
    pub(super) fn new(
        view: &'a RunView<'_>,
        index: usize,
        challenge: &ChallengeView<'_>,
        order: &[(&'a String, &'a MinerReport)],
    ) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for fact in order.iter().flat_map(|(_, report)| &report.facts) {
            if names.len() < COLUMNS && !names.contains(&fact.name.as_str()) {
                names.push(&fact.name);
            }
        }
        let row = |&(hotkey, report): &(&'a String, &MinerReport)| Row {
            miner: view.link(hotkey),
            share: challenge.share(hotkey),
            values: names
                .iter()
                .map(|name| report.facts.iter().find(|fact| fact.name == *name))
                .map(|fact| fact.map(|fact| miner_value(view, index, fact)))
                .collect(),
            why: report.why_zero.as_ref().map_or(String::new(), |why| clean_to(&why.text, WHY)),
        };
        Self { id: format!("numbers-{index}"), rows: order.iter().map(row).collect(), names }
    }
}
