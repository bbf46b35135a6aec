//! Each challenge: what it counts for, whom it pays, and the numbers behind that.

use super::chart::chart;
use super::svg::bar;
use super::text::{count, esc, esc_to, number, percent, plural, words};
use super::view::{Part, View};
use mantis_plugin_api::{Fact, MinerReport};
use std::collections::BTreeMap;

/// Miners whose bars are shown at once.
const SHOWN: usize = 10;
/// Columns of numbers.
const COLUMNS: usize = 20;
/// Characters of a reason in a table of all miners.
const WHY: usize = 120;

pub(super) fn section(view: &View<'_>) -> String {
    let mut out = String::from(
        "<section id=\"s-challenges\" aria-labelledby=\"h-challenges\">\n<h2 id=\"h-challenges\">Challenges</h2>\n",
    );
    out += &overview(view);
    for (i, part) in view.parts.iter().enumerate() {
        out += &one(view, i, part);
    }
    out + "</section>\n"
}

fn overview(view: &View<'_>) -> String {
    let most = view.parts.iter().map(|part| part.counts).fold(0.0, f64::max);
    let mut out = String::from(
        "<div class=\"scroll\" role=\"region\" aria-labelledby=\"h-challenges\" tabindex=\"0\">\n<table>\n<thead><tr><th>Challenge</th><th class=\"opt\">Plugin</th><th class=\"n\">Counts for</th><td></td><th class=\"n\">Miners paid</th><th class=\"n\">Seconds</th></tr></thead>\n<tbody>\n",
    );
    for part in &view.parts {
        let counts = if part.paid > 0 {
            percent(part.counts)
        } else {
            "<span class=\"muted\">pays nobody</span>".into()
        };
        out += &format!(
            r##"<tr><th scope="row"><a href="{}">{}</a></th><td class="opt">{}</td><td class="n">{counts}</td><td class="bar">{}</td><td class="n">{}</td><td class="n">{:.2}</td></tr>
"##,
            part.href,
            esc(&part.scored.ticker),
            part.entry.map_or(String::new(), |entry| esc(&entry.plugin)),
            bar(if most > 0.0 { part.counts / most } else { 0.0 }),
            part.paid,
            part.scored.seconds
        );
    }
    out + "</tbody>\n</table>\n</div>\n"
}

fn one(view: &View<'_>, index: usize, part: &Part<'_>) -> String {
    let scored = part.scored;
    let ticker = esc(&scored.ticker);
    let mut out = format!("<article class=\"card\" id=\"{}\">\n<h3>{ticker}</h3>\n", part.anchor);
    if let Some(description) = &scored.description {
        out += &format!("<p>{}</p>\n", esc(&description.summary));
    }
    out += &format!("<p class=\"meta\">{}</p>\n", meta(part));
    if let Some(reason) = &scored.skipped {
        out += &format!("<p class=\"alert\" role=\"note\"><b>Pays nobody:</b> {}</p>\n", esc(reason));
    }
    out += "<div class=\"cols\">\n<div>\n";
    if let Some(series) = &part.series {
        let name = part.entry.and_then(|entry| entry.price_key.as_deref()).map_or(ticker, esc);
        out += &chart(series, &name, i64::from(view.input.config.network.sample_every));
    }
    let Some(salience) = &scored.salience else { return out + "</div>\n</div>\n</article>\n" };
    if !salience.facts.is_empty() {
        out += "<dl class=\"facts\">";
        for fact in salience.facts.iter().take(COLUMNS) {
            out += &format!("<div><dt>{}</dt><dd>{}</dd></div>", esc(&words(&fact.name)), value(fact));
        }
        out += "</dl>\n";
    }
    out += "</div>\n<div>\n";
    let shares = scored.shares();
    let share = |hotkey: &str| shares.get(hotkey).copied().unwrap_or(0.0);
    let mut order: Vec<(&String, &MinerReport)> = scored.hotkeys.iter().zip(&salience.miners).collect();
    order.sort_by(|a, b| share(b.0).total_cmp(&share(a.0)).then(a.0.cmp(b.0)));
    let most = order.first().map_or(0.0, |first| share(first.0));
    if part.paid > 0 {
        out += "<h4>Who it pays</h4>\n<ol class=\"bars\">\n";
        for (hotkey, _) in order.iter().take(part.paid.min(SHOWN)) {
            let about = view.input.about.get(*hotkey).map_or(String::new(), |about| esc(about));
            out += &format!(
                "<li>{}{}<span class=\"n\">{}</span><span class=\"about\">{about}</span></li>\n",
                view.link(hotkey),
                bar(share(hotkey) / most),
                percent(share(hotkey))
            );
        }
        out += "</ol>\n";
        if part.paid > SHOWN {
            out += &format!("<p class=\"small\">and {} more, in the table below</p>\n", part.paid - SHOWN);
        }
    }
    out += &why_not(&salience.miners);
    out += "</div>\n</div>\n";
    out += &numbers(view, index, &order, &shares);
    out + "</article>\n"
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
        items.push(match entry.blocks_ahead {
            0 => "no fixed horizon".into(),
            blocks => format!("{} blocks ahead ({})", count(blocks), hours(blocks)),
        });
        if !entry.assets.is_empty() {
            items.push(plural(entry.assets.len(), "asset", "assets"));
        }
    }
    items.push(format!("{:.2} s", part.scored.seconds));
    items.join(" · ")
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

/// How many miners are not paid, by reason.
fn why_not(miners: &[MinerReport]) -> String {
    let mut reasons: BTreeMap<&str, (usize, &str, bool)> = BTreeMap::new();
    for why in miners.iter().filter_map(|miner| miner.why_zero.as_ref()) {
        let (times, text, differs) = reasons.entry(&why.code).or_insert((0, &why.text, false));
        *times += 1;
        *differs |= *text != why.text;
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut reasons: Vec<_> = reasons.into_values().collect();
    reasons.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let line = |(times, text, differs): &(usize, &str, bool)| {
        let more = if *differs { ", and the like" } else { "" };
        format!("<li><b>{times}</b><span>{}{more}</span></li>", esc(text))
    };
    let lines: String = reasons.iter().take(COLUMNS).map(line).collect();
    format!("<h4>Why others earn nothing</h4>\n<ul class=\"reasons\">{lines}</ul>\n")
}

/// Every miner with every number.
fn numbers(
    view: &View<'_>,
    index: usize,
    order: &[(&String, &MinerReport)],
    shares: &BTreeMap<String, f64>,
) -> String {
    let mut names: Vec<&str> = Vec::new();
    for fact in order.iter().flat_map(|(_, report)| &report.facts) {
        if names.len() < COLUMNS && !names.contains(&fact.name.as_str()) {
            names.push(&fact.name);
        }
    }
    let mut out = format!(
        "<details><summary>All numbers, {}</summary>\n<div class=\"scroll\" role=\"region\" aria-label=\"All numbers\" tabindex=\"0\">\n<table class=\"dense\">\n<thead><tr><th class=\"who\">Miner</th><th class=\"n\">Salience</th>",
        plural(order.len(), "miner", "miners")
    );
    for name in &names {
        out += &format!("<th class=\"n\">{}</th>", esc(&words(name)));
    }
    out += "<th>Why nothing</th></tr></thead>\n<tbody>\n";
    for (hotkey, report) in order {
        let share = shares.get(*hotkey).copied().unwrap_or(0.0);
        let share = if share > 0.0 { percent(share) } else { "·".into() };
        out += &format!("<tr><th class=\"who\">{}</th><td>{share}</td>", view.link(hotkey));
        for name in &names {
            let fact = report.facts.iter().find(|fact| fact.name == *name);
            out += &format!("<td>{}</td>", fact.map_or(String::new(), |fact| miner_value(view, index, fact)));
        }
        let why = report.why_zero.as_ref().map_or(String::new(), |why| esc_to(&why.text, WHY));
        out += &format!("<td class=\"t\">{why}</td></tr>\n");
    }
    out + "</tbody>\n</table>\n</div>\n</details>\n"
}

/// A number about a challenge.
fn value(fact: &Fact) -> String {
    if fact.name.starts_with("share_") { percent(fact.value) } else { number(fact.value) }
}

/// A number about a miner. One that is named `.._with_miner` is the place of another miner.
pub(super) fn miner_value(view: &View<'_>, challenge: usize, fact: &Fact) -> String {
    if fact.name.ends_with("_with_miner") && fact.value >= 0.0 {
        let other = view.parts.get(challenge).and_then(|part| part.scored.hotkeys.get(fact.value as usize));
        if let Some(hotkey) = other {
            return view.link(hotkey);
        }
    }
    number(fact.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_are_in_the_unit_that_people_use() {
        assert_eq!([300, 500, 1200, 2400, 1825].map(hours), ["60 min", "100 min", "4 h", "8 h", "6.1 h"]);
    }
}
