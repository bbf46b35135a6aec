//! The configuration as it was loaded, and what would be under other weights.

use super::frame::Frame;
use super::now;
use crate::sections::RenderError;
use crate::sections::configuration::ConfiguredChallenges;
use crate::sections::constants::Constants;
use crate::sections::filters;
use crate::sections::time::Moment;
use crate::sections::view::{ChallengeView, MinerView, RunView};
use askama::Template;
use mantis_config::{Challenge, Weight};
use mantis_validator::Status;

#[derive(Template)]
#[template(path = "pages/configuration.html")]
struct ConfigurationPage<'a> {
    frame: Frame,
    /// When it was loaded; `None` without a validator.
    loaded: Option<Moment>,
    /// Why the file, as it is now, does not run.
    fault: Option<&'a str>,
    challenges: ConfiguredChallenges<'a>,
    sliders: Vec<Slider>,
    /// Miners that earn something, best first.
    miners: Vec<&'a MinerView<'a>>,
    constants: Constants,
}

/// The largest share that a slider offers, percent.
const MOST_PERCENT: f64 = 95.0;

/// A challenge whose weight, or share, can be tried.
struct Slider {
    ticker: String,
    /// Its weight; or its share of all, in percent.
    value: f64,
    /// The value at the right end.
    top: f64,
    is_share: bool,
    /// Its part of all that pay.
    counts: f64,
    pays: bool,
}

pub(super) fn page(view: &RunView<'_>, status: Option<&Status>) -> Result<String, RenderError> {
    let config = &view.standing.config;
    let configuration = status.map(|status| &status.configuration);
    let fixed = |challenge: &Challenge| match challenge.weight {
        Weight::Fixed(weight) => Some(weight),
        Weight::Share(_) => None,
    };
    let most = config.challenges.iter().filter_map(fixed).fold(0.0, f64::max);
    let top = if most > 0.0 { 2.0 * most } else { 1.0 };
    let slider = |configured: &Challenge| {
        let challenge = view.challenge(&configured.ticker).map(|(_, challenge)| challenge);
        let (value, top, is_share) = match configured.weight {
            Weight::Fixed(weight) => (weight, top, false),
            Weight::Share(share) => (100.0 * share, MOST_PERCENT, true),
        };
        Slider {
            counts: challenge.map_or(0.0, |challenge| challenge.counts),
            pays: challenge.is_some_and(ChallengeView::pays),
            ticker: configured.ticker.clone(),
            value,
            top,
            is_share,
        }
    };
    let sliders: Vec<Slider> = config.challenges.iter().map(slider).collect();
    let mut miners: Vec<&MinerView<'_>> = view.miners.iter().filter(|miner| miner.total > 0.0).collect();
    miners.sort_by(|a, b| b.total.total_cmp(&a.total).then(a.hotkey.cmp(b.hotkey)));
    let page = ConfigurationPage {
        frame: Frame::new("Configuration", "/configuration"),
        loaded: configuration.map(|configuration| Moment::new(configuration.taken, now())),
        fault: configuration.and_then(|configuration| configuration.fault.as_deref()),
        challenges: ConfiguredChallenges::new(view),
        sliders,
        miners,
        constants: Constants::new(config),
    };
    Ok(page.render()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::pages::Page;
    use crate::server::pages::test_world::{PageWorld, by_id, parse, plain};

    #[test]
    fn sliders_begin_at_the_weights_as_configured() {
        let world = PageWorld::new(plain, 12, 6, "x");
        let page = world.page(Page::Configuration);
        let document = parse("configuration", &page);
        for challenge in &world.standing.config.challenges {
            let ticker = challenge.ticker.as_str();
            let (value, unit) = match challenge.weight {
                Weight::Fixed(weight) => (weight, None),
                Weight::Share(share) => (100.0 * share, Some("%")),
            };
            let slider = by_id(&document, "what-if")
                .descendants()
                .find(|n| n.tag_name().name() == "input" && n.attribute("data-ticker") == Some(ticker))
                .unwrap();
            assert_eq!(slider.attribute("value").unwrap().parse::<f64>().unwrap(), value);
            assert_eq!(slider.attribute("data-unit"), unit);
            let label =
                document.descendants().find(|n| n.attribute("for") == slider.attribute("id")).unwrap();
            assert!(label.text().unwrap().contains(ticker));
        }
        let rows = by_id(&document, "what-if-leaderboard")
            .descendants()
            .filter(|n| n.has_attribute("data-hotkey"))
            .count();
        assert_eq!(rows, world.standing.scores.total.values().filter(|total| **total > 0.0).count());
        assert!(page.contains("Nothing is changed by this"));
    }
}
