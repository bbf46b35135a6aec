//! What each challenge says about the market, whom it pays, and why others earn nothing.

use super::chart::chart;
use super::svg::bar;
use super::table::{self, First, heading};
use super::text::{count, esc, percent, plural};
use super::view::{Part, View};
use super::{breakouts, facts};
use mantis_plugin_api::MinerReport;
use std::collections::BTreeMap;

/// Miners whose bars are shown at once.
const SHOWN: usize = 10;

/// All challenges on one page; `states` are the ledger's breakout states.
pub(super) fn section(view: &View<'_>, states: &[(String, String)]) -> String {
    let mut out = String::from(
        "<section id=\"s-challenges\" aria-labelledby=\"h-challenges\">\n<h2 id=\"h-challenges\">Challenges</h2>\n",
    );
    out += &overview(view);
    for (i, part) in view.parts.iter().enumerate() {
        out += &format!(
            "<article class=\"card\" id=\"{}\">\n<h3>{}</h3>\n",
            part.anchor,
            esc(&part.scored.ticker)
        );
        out += &head(part);
        out += &body(view, i, part, states, "");
        out += "</article>\n";
    }
    out + "</section>\n"
}

/// A table of all challenges, under a heading with the id `h-challenges`.
pub(crate) fn overview(view: &View<'_>) -> String {
    if view.parts.is_empty() {
        return "<p class=\"muted\">Nothing has been computed yet.</p>\n".into();
    }
    let most = view.parts.iter().map(|part| part.counts).fold(0.0, f64::max);
    let headings = [
        heading("", First::Least, "Challenge"),
        heading("opt", First::Least, "Plugin"),
        heading("n", First::Most, "Counts for"),
        "<td></td>".into(),
        heading("n", First::Most, "Miners paid"),
        heading("n", First::Most, "Seconds"),
    ];
    let mut out = table::begin("challenges", "", "h-challenges", &headings);
    for part in &view.parts {
        let counts = if part.paid > 0 {
            percent(part.counts)
        } else {
            "<span class=\"muted\">pays nobody</span>".into()
        };
        out += &format!(
            r##"<tr data-ticker="{0}"><th scope="row"><a href="{1}">{0}</a></th><td class="opt">{2}</td><td class="n" data-value="{3}">{counts}</td><td class="bar">{4}</td><td class="n">{5}</td><td class="n">{6:.2}</td></tr>
"##,
            esc(&part.scored.ticker),
            part.href,
            part.entry.map_or(String::new(), |entry| esc(&entry.plugin)),
            part.counts,
            bar(if most > 0.0 { part.counts / most } else { 0.0 }),
            part.paid,
            part.scored.seconds
        );
    }
    out + table::END
}

/// What a challenge is, and why it pays nobody where it does not.
pub(crate) fn head(part: &Part<'_>) -> String {
    let mut out = String::new();
    if let Some(description) = &part.scored.description {
        out += &format!("<p>{}</p>\n", esc(&description.summary));
    }
    out += &format!("<p class=\"meta\">{}</p>\n", meta(part));
    if let Some(reason) = &part.scored.skipped {
        out += &format!("<p class=\"alert\" role=\"note\"><b>Pays nobody:</b> {}</p>\n", esc(reason));
    }
    out
}

/// Prices, labels, how well miners tell them, whom it pays and why not others, breakouts, all numbers. `more` are two
/// charts that come below that.
pub(crate) fn body(
    view: &View<'_>,
    index: usize,
    part: &Part<'_>,
    states: &[(String, String)],
    more: &str,
) -> String {
    let scored = part.scored;
    let mut out = String::from("<div class=\"cols\">\n<div>\n");
    if let Some(series) = &part.series {
        let key = part.entry.and_then(|entry| entry.price_key.as_deref());
        let name = esc(key.unwrap_or(&scored.ticker));
        out += &chart(series, &name, i64::from(view.input.config.network.sample_every));
    }
    let none = Vec::new();
    let (all_facts, miners) =
        scored.salience.as_ref().map_or((&none, &[][..]), |s| (&s.facts, &s.miners[..]));
    out += &facts::list(all_facts);
    out += &facts::balance(all_facts);
    out += &facts::distribution(miners);
    out += "</div>\n<div>\n";
    let shares = scored.shares();
    let share = |hotkey: &str| shares.get(hotkey).copied().unwrap_or(0.0);
    let mut order: Vec<(&String, &MinerReport)> = scored.hotkeys.iter().zip(miners).collect();
    order.sort_by(|a, b| share(b.0).total_cmp(&share(a.0)).then(a.0.cmp(b.0)));
    out += &who(view, part, &order, &shares);
    out += &facts::why_not(miners);
    out += "</div>\n</div>\n";
    if !more.is_empty() {
        out += &format!("<div class=\"pair\">\n{more}</div>\n");
    }
    out += &breakouts::charts(part, states);
    if order.is_empty() { out } else { out + &facts::numbers(view, index, &order, &shares) }
}

fn who(
    view: &View<'_>,
    part: &Part<'_>,
    order: &[(&String, &MinerReport)],
    shares: &BTreeMap<String, f64>,
) -> String {
    if part.paid == 0 {
        return String::new();
    }
    let share = |hotkey: &str| shares.get(hotkey).copied().unwrap_or(0.0);
    let mut out = String::from("<h4>Who it pays</h4>\n<ol class=\"bars\">\n");
    for (hotkey, _) in order.iter().take(part.paid.min(SHOWN)) {
        let about = view.input.about.get(*hotkey).map_or(String::new(), |about| esc(about));
        out += &format!(
            "<li>{}{}<span class=\"n\">{}</span><span class=\"about\">{about}</span></li>\n",
            view.link(hotkey),
            bar(share(hotkey) / part.best),
            percent(share(hotkey))
        );
    }
    out += "</ol>\n";
    if part.paid > SHOWN {
        out += &format!("<p class=\"small\">and {} more, in the table below</p>\n", part.paid - SHOWN);
    }
    out
}

fn meta(part: &Part<'_>) -> String {
    let mut items = Vec::new();
    items.push(if part.paid > 0 {
        format!("<b>{}</b> of the total", percent(part.counts))
    } else {
        "counts for nothing in this run".into()
    });
    items.push(format!(
        "pays <b>{}</b> of {}",
        part.paid,
        plural(part.scored.hotkeys.len(), "miner", "miners")
    ));
    if let Some(entry) = part.entry {
        let version =
            part.scored.description.as_ref().map_or(String::new(), |d| format!(" {}", esc(&d.version)));
        items.push(format!("{}, plugin <b>{}</b>{version}", esc(&entry.name), esc(&entry.plugin)));
        items.push(horizon(entry.blocks_ahead));
        if !entry.assets.is_empty() {
            items.push(plural(entry.assets.len(), "asset", "assets"));
        }
    }
    items.push(format!("{:.2} s", part.scored.seconds));
    items.join(" · ")
}

/// How far a challenge looks ahead.
pub(super) fn horizon(blocks: u32) -> String {
    match blocks {
        0 => "no fixed horizon".into(),
        blocks => format!("{} blocks ahead ({})", count(blocks), hours(blocks)),
    }
}

/// The time that so many blocks take.
fn hours(blocks: u32) -> String {
    let minutes = f64::from(blocks) / 5.0;
    if minutes < 120.0 {
        format!("{minutes:.0} min")
    } else {
        format!("{:.1} h", minutes / 60.0).replace(".0 ", " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_are_in_the_unit_that_people_use() {
        assert_eq!([300, 500, 1200, 2400, 1825].map(hours), ["60 min", "100 min", "4 h", "8 h", "6.1 h"]);
    }
}
