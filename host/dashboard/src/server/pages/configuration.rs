//! The configuration as it was loaded, and what would be under other weights.

use super::{frame::document, now};
use crate::sections::configuration;
use crate::sections::table::{self, First, heading, sorted};
use crate::sections::text::{ago, esc, number, percent, short};
use crate::sections::view::{Miner, View};
use mantis_validator::Status;

pub(super) fn page(view: &View<'_>, status: Option<&Status>) -> String {
    let config = view.input.config;
    let mut main = String::from(
        "<section aria-labelledby=\"h-configuration\">\n<h1 id=\"h-configuration\">Configuration</h1>\n",
    );
    if let Some(configuration) = status.map(|status| &status.configuration) {
        main += &format!("<p class=\"meta\">As loaded {}</p>\n", ago(configuration.taken, now()));
        if let Some(fault) = &configuration.fault {
            main += &format!(
                "<p class=\"alert\" role=\"note\"><b>The changed file is not taken:</b> {}</p>\n",
                esc(fault)
            );
        }
    }
    main += &configuration::challenges(view);
    main += "</section>\n";
    main += &what_if(view);
    main += &format!(
        "<section aria-labelledby=\"h-constants\">\n<h2 id=\"h-constants\">Constants</h2>\n{}</section>\n",
        configuration::constants(config)
    );
    document("Configuration", "/configuration", &main)
}

/// A slider per challenge, and the leaderboard beside them, which the script fills.
fn what_if(view: &View<'_>) -> String {
    let weights = view.input.config.weights();
    let most = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let top = if most > 0.0 { 2.0 * most } else { 1.0 };
    let mut out = String::from(
        "<section id=\"what-if\" data-api=\"/api/v1/what-if\" aria-labelledby=\"h-what-if\">\n<h2 id=\"h-what-if\">What if</h2>\n<p class=\"muted\">Try other weights for the challenges and see who would earn how much of the total, from the saliences of the last computation. <b>Nothing is changed by this</b>, neither here nor on the chain. The total is what comes before burn and smoothing.</p>\n<p class=\"alert no-script\">The sliders need a script.</p>\n<div class=\"try\">\n<div class=\"sliders\">\n",
    );
    for (place, (ticker, weight)) in weights.iter().enumerate() {
        let part = view.part(ticker);
        let share = part.map_or(0.0, |(_, part)| part.counts);
        let pays = part.is_some_and(|(_, part)| part.paid > 0);
        let note = if pays { "" } else { " <small>pays nobody</small>" };
        let ticker = esc(ticker);
        out += &format!(
            "<div class=\"slider\"><label for=\"slider-{place}\">{ticker}{note}</label><input type=\"range\" id=\"slider-{place}\" data-ticker=\"{ticker}\" data-configured=\"{weight}\" min=\"0\" max=\"{top}\" step=\"any\" value=\"{weight}\"/><output for=\"slider-{place}\" data-number=\"{ticker}\">{}</output><span class=\"n\" data-share=\"{ticker}\" data-value=\"{share}\">{}</span></div>\n",
            number(*weight),
            percent(share)
        );
    }
    let headings = [
        sorted("n", First::Least, "#"),
        heading("who", First::Least, "Miner"),
        heading("n", First::Most, "Total then"),
        heading("n", First::Most, "Total now"),
        heading("n", First::Most, "Change"),
        heading("n", First::Most, "Places"),
    ];
    out += "<p class=\"needs-script\"><button type=\"button\" id=\"what-if-reset\">As configured</button></p>\n</div>\n<div>\n<p class=\"meta\" id=\"what-if-state\" role=\"status\">As it is, with the weights of the configuration.</p>\n";
    out += &table::begin("what-if-leaderboard", "", "h-what-if", &headings);
    let mut miners: Vec<&Miner<'_>> = view.miners.iter().filter(|miner| miner.total > 0.0).collect();
    miners.sort_by(|a, b| b.total.total_cmp(&a.total).then(a.hotkey.cmp(b.hotkey)));
    for (i, miner) in miners.into_iter().enumerate() {
        let hotkey = esc(miner.hotkey);
        out += &format!(
            "<tr data-hotkey=\"{hotkey}\"><td class=\"n muted\" data-value=\"{0}\">{0}</td><th scope=\"row\" class=\"who\" data-value=\"{hotkey}\"><a href=\"{1}\" title=\"{hotkey}\">{2}</a></th><td class=\"n\" data-value=\"{3}\">{4}</td><td class=\"n\" data-value=\"{3}\">{4}</td><td class=\"n\" data-value=\"0\">0%</td><td class=\"n\" data-value=\"0\"></td></tr>\n",
            i + 1,
            miner.href,
            esc(&short(miner.hotkey)),
            miner.total,
            percent(miner.total)
        );
    }
    out + table::END + "</div>\n</div>\n</section>\n"
}
