//! The weights, UID by UID.

use super::svg::bar;
use super::text::{count, esc, percent, plural};
use super::view::View;
use crate::weights::{Outcome, to_u16};
use std::collections::BTreeMap;

pub(super) fn section(view: &View<'_>) -> String {
    let mut out = String::from(
        "<section id=\"s-weights\" aria-labelledby=\"h-weights\">\n<h2 id=\"h-weights\">Weights</h2>\n",
    );
    let steps = match view.input.outcome {
        Outcome::Weights(steps) => steps,
        Outcome::Rejected(reason) => {
            return out + &format!("<p>None would be set: {reason}. Those on chain stay.</p>\n</section>\n");
        }
    };
    let on_chain: BTreeMap<u16, u16> =
        to_u16(&steps.iter().map(|step| (step.uid, step.weight)).collect()).into_iter().collect();
    let most = steps.iter().map(|step| step.weight).fold(0.0, f64::max);
    let zero = steps.iter().filter(|step| step.weight <= 0.0).count();
    let burn_uid = view.input.config.network.burn_uid;
    out += &format!(
        "<p class=\"muted\">{} of {} are given a weight; the rest are left out.</p>\n<details class=\"card\"{}><summary>All weights</summary>\n<div class=\"scroll\" role=\"region\" aria-labelledby=\"h-weights\" tabindex=\"0\">\n<table>\n<thead><tr><th class=\"n\">UID</th><th class=\"who\">Hotkey</th><th class=\"n\">Salience</th><th class=\"n\">Share</th><th class=\"n\">After burn</th><th class=\"n\">Last time</th><th class=\"n\">Weight</th><td></td><th class=\"n\">On chain</th><td></td></tr></thead>\n<tbody>\n",
        count((steps.len() - zero) as i128),
        plural(steps.len(), "UID", "UIDs"),
        if steps.len() <= 40 { " open=\"open\"" } else { "" }
    );
    for step in steps.iter().filter(|step| step.weight > 0.0) {
        let note = match (step.uid == burn_uid, step.young) {
            (true, _) => "takes the burn",
            (_, true) => "young",
            _ => "",
        };
        let who = if step.hotkey == "(burn)" { esc(&step.hotkey) } else { view.link(&step.hotkey) };
        out += &format!(
            "<tr><td class=\"n\">{}</td><td class=\"who\">{who}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\"><b>{}</b></td><td class=\"bar\">{}</td><td class=\"n\">{}</td><td>{note}</td></tr>\n",
            step.uid,
            percent(step.salience),
            percent(step.share),
            percent(step.burned),
            step.previous.map_or("–".into(), percent),
            percent(step.weight),
            bar(if most > 0.0 { step.weight / most } else { 0.0 }),
            count(on_chain.get(&step.uid).copied().unwrap_or(0))
        );
    }
    out + "</tbody>\n</table>\n</div>\n</details>\n</section>\n"
}
