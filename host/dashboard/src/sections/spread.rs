//! The weights beside each other.

use super::filters;
use super::svg::{self, Svg};
use super::text::percent;
use super::view::RunView;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_weights::Outcome;

/// The weights of all miners, largest first.
#[derive(Template)]
#[template(path = "sections/spread.html")]
pub(crate) struct Spread {
    /// How many, beginning with the largest, share half of what miners are given.
    half: usize,
    burn_uid: u16,
    burned: f64,
    largest: f64,
    drawn: Svg,
}

impl HtmlSafe for Spread {}

impl Spread {
    /// `None` if no miner is given a weight. The UID that is given the burn is left out.
    pub(crate) fn new(view: &RunView<'_>) -> Option<Self> {
        let Outcome::Weights(steps) = &view.standing.outcome else { return None };
        let burn_uid = view.standing.config.network.burn_uid;
        let burned: f64 = steps.iter().filter(|step| step.uid == burn_uid).map(|step| step.weight).sum();
        let mut weights: Vec<f64> =
            steps.iter().filter(|s| s.uid != burn_uid && s.weight > 0.0).map(|s| s.weight).collect();
        weights.sort_by(|a, b| b.total_cmp(a));
        let &largest = weights.first()?;
        let all: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let is_below_half = |weight: &&f64| {
            sum += **weight;
            sum < all / 2.0
        };
        let half = 1 + weights.iter().take_while(is_below_half).count();
        let parts: Vec<f64> = weights.iter().map(|w| w / largest).collect();
        let label = format!(
            "Weights of {} UIDs, largest first; the largest has {}, the first {half} have half of what miners are given",
            weights.len(),
            percent(largest)
        );
        Some(Self { half, burn_uid, burned, largest, drawn: svg::columns(&parts, |i| i < half, &label) })
    }
}
