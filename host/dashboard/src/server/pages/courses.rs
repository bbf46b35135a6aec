//! What each challenge paid a miner over time.

use super::thinned;
use crate::sections::filters;
use crate::sections::svg::{self, Svg};
use crate::sections::text::{clean, percent};
use crate::sections::view::{ChallengeView, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Block;
use mantis_ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// What each challenge paid a miner over time, one small drawing each.
#[derive(Template)]
#[template(path = "pages/courses.html")]
pub(super) struct Courses<'a> {
    /// Blocks of the first computation and of the last.
    first: Block,
    last: Block,
    courses: Vec<Course<'a>>,
}

impl HtmlSafe for Courses<'_> {}

struct Course<'a> {
    challenge: &'a ChallengeView<'a>,
    said: String,
    drawn: Svg,
}

impl<'a> Courses<'a> {
    /// `None` if there are fewer than two computations.
    pub(super) fn read(
        view: &'a RunView<'a>,
        ledger: &Ledger,
        hotkey: &str,
    ) -> Result<Option<Self>, LedgerError> {
        let cycles = ledger.computations(0, u32::MAX)?;
        let kept = thinned(cycles.len()).into_iter().rev().filter_map(|i| cycles.get(i));
        let blocks: Vec<Block> = kept.map(|cycle| cycle.block).collect();
        let [first, .., last] = blocks[..] else { return Ok(None) };
        let mut shares: BTreeMap<String, BTreeMap<Block, f64>> = BTreeMap::new();
        for line in ledger.salience_history(hotkey)? {
            shares.entry(line.ticker).or_default().insert(line.block, line.share);
        }
        let course = |challenge: &'a ChallengeView<'a>| {
            let own = shares.get(challenge.ticker());
            let share = |block| own.and_then(|own| own.get(block)).copied().unwrap_or(0.0);
            Course::new(challenge, &blocks.iter().map(share).collect::<Vec<f64>>())
        };
        Ok(Some(Self { first, last, courses: view.challenges.iter().map(course).collect() }))
    }
}

impl<'a> Course<'a> {
    fn new(challenge: &'a ChallengeView<'a>, shares: &[f64]) -> Self {
        let most = shares.iter().copied().fold(0.0, f64::max);
        let last = shares.len().saturating_sub(1).max(1) as f64;
        let height = if most > 0.0 { most } else { 1.0 };
        let points = shares.iter().enumerate().map(|(i, y)| (i as f64 / last, y / height)).collect();
        let now = shares.last().copied().unwrap_or(0.0);
        let said = if most > 0.0 {
            format!("{}, at most {}", percent(now), percent(most))
        } else {
            "nothing".into()
        };
        let drawn = svg::curves(&[points], &format!("{}: {said}", clean(challenge.ticker())));
        Self { challenge, said, drawn }
    }
}
