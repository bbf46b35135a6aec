//! Numbers that plugins give, about a challenge and about miners.

use super::chart::figure;
use super::svg;
use super::table::{self, First, heading};
use super::text::{esc, esc_to, number, percent, plural, words};
use super::view::View;
use mantis_plugin_api::{Fact, MinerReport};
use std::collections::BTreeMap;

/// Columns of numbers.
pub(super) const COLUMNS: usize = 20;
/// Characters of a reason in a table of all miners.
const WHY: usize = 120;
/// Columns of a distribution.
const BINS: usize = 24;
/// What miners are compared by, the first that a challenge has: its name, its words, and the value that says nothing.
const MEASURES: [(&str, &str, Option<f64>); 5] = [
    ("auc", "AUC", Some(0.5)),
    ("ensemble_auc", "Ensemble AUC", Some(0.5)),
    ("skill", "Skill", Some(0.5)),
    ("lift", "Lift", Some(0.0)),
    ("coefficient", "Coefficient", None),
];

/// The numbers about a challenge, without those that [`balance`] draws.
pub(super) fn list(facts: &[Fact]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let item =
        |fact: &Fact| format!("<div><dt>{}</dt><dd>{}</dd></div>", esc(&words(&fact.name)), value(fact));
    let others = facts.iter().filter(|fact| !is_label(fact));
    let items: String = others.take(COLUMNS).map(item).collect();
    format!("<dl class=\"facts\">{items}</dl>\n")
}

/// How often each label came true: the facts named `share_..` as parts of one bar, and what is left of it.
pub(super) fn balance(facts: &[Fact]) -> String {
    let mut parts: Vec<(String, f64)> = facts
        .iter()
        .filter(|fact| is_label(fact))
        .filter_map(|fact| Some((fact.name.strip_prefix("share_")?, fact.value)))
        .take(COLUMNS)
        .map(|(name, share)| (words(name), share))
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    let rest = 1.0 - parts.iter().map(|part| part.1).sum::<f64>();
    if rest > 1e-9 {
        parts.push(("other".into(), rest));
    }
    let shares: Vec<f64> = parts.iter().map(|part| part.1).collect();
    let label: Vec<String> =
        parts.iter().map(|(name, share)| format!("{} {}", esc(name), percent(*share))).collect();
    let key: String = label
        .iter()
        .enumerate()
        .map(|(i, text)| format!("<li><span class=\"swatch p{}\"></span>{text}</li>", i % 6))
        .collect();
    format!(
        "<figure class=\"labels\"><figcaption>Labels</figcaption>{}<ul class=\"legend\">{key}</ul></figure>\n",
        svg::balance(&shares, &format!("Labels: {}", label.join(", ")))
    )
}

/// How many miners have which AUC, or whatever else a challenge compares them by.
pub(super) fn distribution(miners: &[MinerReport]) -> String {
    let of = |name: &str| -> Vec<f64> {
        let facts = miners.iter().filter_map(|miner| miner.facts.iter().find(|fact| fact.name == name));
        facts.map(|fact| fact.value).filter(|value| value.is_finite()).collect()
    };
    let found = MEASURES.iter().map(|measure| (measure, of(measure.0))).find(|(_, values)| values.len() > 2);
    let Some((&(_, name, chance), values)) = found else { return String::new() };
    let ends = values.iter().copied().chain(chance);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if high <= low {
        return String::new();
    }
    // No column has miners on both sides of chance.
    let is_above = |value: f64| chance.is_none_or(|chance| value > chance);
    let edge = chance.unwrap_or(low);
    let at_most = (((edge - low) / (high - low) * BINS as f64).ceil() as usize).min(BINS - 1);
    let below = if values.iter().all(|&value| is_above(value)) { 0 } else { at_most.max(1) };
    let part = |span: f64, bins: usize| if bins > 0 { span / bins as f64 } else { 0.0 };
    let width = part(edge - low, below).max(part(high - edge, BINS - below));
    let (low, high) = (edge - width * below as f64, edge + width * (BINS - below) as f64);
    let mut bins = [0_usize; BINS];
    for &value in &values {
        let bin = ((value - low) / width) as usize;
        let bin = if is_above(value) { bin.clamp(below, BINS - 1) } else { bin.min(below - 1) };
        if let Some(count) = bins.get_mut(bin) {
            *count += 1;
        }
    }
    let most = bins.iter().copied().max().unwrap_or(1).max(1);
    let parts: Vec<f64> = bins.iter().map(|&count| count as f64 / most as f64).collect();
    let above = values.iter().filter(|&&value| is_above(value)).count();
    let caption = match chance {
        Some(chance) => format!(
            "{name} of {}; in colour the {above} above {}",
            plural(values.len(), "miner", "miners"),
            number(chance)
        ),
        None => format!("{name} of {}", plural(values.len(), "miner", "miners")),
    };
    let label = format!("{caption}: from {} to {}", number(low), number(high));
    let marks = [most.to_string(), String::new(), "0".into()];
    figure(&caption, marks, &svg::columns(&parts, |bin| bin >= below, &label), (&number(low), &number(high)))
}

/// How many miners are not paid, by reason.
pub(super) fn why_not(miners: &[MinerReport]) -> String {
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

/// Every miner of a challenge with every number.
pub(super) fn numbers(
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
    let summary = format!("numbers-{index}");
    let mut headings = vec![heading("who", First::Least, "Miner"), heading("n", First::Most, "Salience")];
    headings.extend(names.iter().map(|name| heading("n", First::Most, &esc(&words(name)))));
    headings.push(heading("", First::Least, "Why nothing"));
    let mut out = format!(
        "<details><summary id=\"h-{summary}\">All numbers, {}</summary>\n{}",
        plural(order.len(), "miner", "miners"),
        table::begin(&summary, "dense", &format!("h-{summary}"), &headings)
    );
    for (hotkey, report) in order {
        let share = shares.get(*hotkey).copied().unwrap_or(0.0);
        let shown = if share > 0.0 { percent(share) } else { "·".into() };
        out += &format!("<tr><th class=\"who\" scope=\"row\">{}</th><td>{shown}</td>", view.link(hotkey));
        for name in &names {
            out += &match report.facts.iter().find(|fact| fact.name == *name) {
                Some(fact) => format!("<td>{}</td>", miner_value(view, index, fact)),
                None => "<td></td>".into(),
            };
        }
        let why = report.why_zero.as_ref().map_or(String::new(), |why| esc_to(&why.text, WHY));
        out += &format!("<td class=\"t\">{why}</td></tr>\n");
    }
    out + table::END + "</details>\n"
}

/// Whether a number says how often a label came true.
fn is_label(fact: &Fact) -> bool {
    fact.name.starts_with("share_") && (0.0..=1.0).contains(&fact.value)
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

    fn fact(name: &str, value: f64) -> Fact {
        Fact { name: name.into(), value }
    }

    #[test]
    fn labels_are_one_bar() {
        let drawn = balance(&[fact("rows", 9.0), fact("share_up", 0.25), fact("share_down", 0.5)]);
        assert!(drawn.contains("up 25.0%, down 50.0%, other 25.0%"), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 3);
        assert_eq!(balance(&[fact("rows", 9.0)]), "");
        assert!(!balance(&[fact("share_up", 1.0)]).contains("other"));
    }

    #[test]
    fn miners_are_counted_by_their_auc() {
        let miner = |auc| MinerReport { facts: vec![fact("auc", auc)], ..MinerReport::default() };
        let drawn = distribution(&[0.4, 0.5, 0.6, 0.6, f64::NAN].map(miner));
        assert!(drawn.contains("AUC of 4 miners; in colour the 2 above 0.5000"), "{drawn}");
        assert_eq!(drawn.matches("class=\"marked\"").count(), BINS / 2);
        // Who is below chance has a column without colour, however close.
        let drawn = distribution(&[0.499, 0.8, 0.9].map(miner));
        assert_eq!(drawn.matches("class=\"marked\"").count(), BINS - 1, "{drawn}");
        let drawn = distribution(&[0.3, 0.4, 0.5].map(miner));
        assert_eq!(drawn.matches("class=\"marked\"").count(), 1, "{drawn}");
        assert_eq!(distribution(&[0.4].map(miner)), "");
    }
}
