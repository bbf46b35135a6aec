//! Numbers that plugins give about a challenge.

use super::chart::Figure;
use super::filters;
use super::svg::{self, Svg};
use super::text::{number, percent, plural, words};
use super::view::{MinerLink, RunView};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_plugin_api::{Fact, MinerReport};
use std::collections::BTreeMap;

/// Facts of a challenge, and columns of numbers, at most.
pub(super) const COLUMNS: usize = 20;
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

/// How often each label came true, as parts of one bar.
#[derive(Clone, Debug, Template)]
#[template(path = "sections/labels.html")]
pub(super) struct Labels {
    drawn: Svg,
    /// Each part's colour, a number from 0 to 5, and its words.
    parts: Vec<(usize, String)>,
}

/// A number about a miner: some are the place of another miner.
#[derive(Clone, Debug, Template)]
#[template(path = "sections/fact_value.html")]
pub(super) struct FactValue<'a> {
    value: f64,
    /// The miner whose place it is.
    miner: Option<MinerLink<'a>>,
}

/// A reason for which miners are not paid.
#[derive(Clone, Debug)]
pub(super) struct Reason<'a> {
    pub(super) times: usize,
    pub(super) text: &'a str,
    /// Whether the texts differ: one of them is shown.
    pub(super) differs: bool,
}

impl HtmlSafe for Labels {}
impl HtmlSafe for FactValue<'_> {}

/// The numbers about a challenge by name, without those that [`labels`] draws.
pub(super) fn list(facts: &[Fact]) -> Vec<(&str, String)> {
    let value =
        |fact: &Fact| if fact.name.starts_with("share_") { percent(fact.value) } else { number(fact.value) };
    let others = facts.iter().filter(|fact| !is_label(fact)).take(COLUMNS);
    others.map(|fact| (fact.name.as_str(), value(fact))).collect()
}

/// The facts named `share_..` as parts of one bar, and what is left of it; `None` if there are none.
pub(super) fn labels(facts: &[Fact]) -> Option<Labels> {
    let mut parts: Vec<(String, f64)> = facts
        .iter()
        .filter(|fact| is_label(fact))
        .filter_map(|fact| Some((fact.name.strip_prefix("share_")?, fact.value)))
        .take(COLUMNS)
        .map(|(name, share)| (words(name), share))
        .collect();
    if parts.is_empty() {
        return None;
    }
    let rest = 1.0 - parts.iter().map(|part| part.1).sum::<f64>();
    if rest > 1e-9 {
        parts.push(("other".into(), rest));
    }
    let shares: Vec<f64> = parts.iter().map(|part| part.1).collect();
    let texts: Vec<String> =
        parts.iter().map(|(name, share)| format!("{name} {}", percent(*share))).collect();
    let drawn = svg::balance(&shares, &format!("Labels: {}", texts.join(", ")));
    Some(Labels { drawn, parts: texts.into_iter().enumerate().map(|(i, text)| (i % 6, text)).collect() })
}

/// How many miners have which AUC, or what else a challenge compares them by; `None` if it does not.
pub(super) fn distribution(miners: &[MinerReport]) -> Option<Figure> {
    let values_of = |name: &str| -> Vec<f64> {
        let facts = miners.iter().filter_map(|miner| miner.facts.iter().find(|fact| fact.name == name));
        facts.map(|fact| fact.value).filter(|value| value.is_finite()).collect()
    };
    let mut measures = MEASURES.iter().map(|measure| (measure, values_of(measure.0)));
    let (&(_, name, chance), values) = measures.find(|(_, values)| values.len() > 2)?;
    let ends = values.iter().copied().chain(chance);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if high <= low {
        return None;
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
    let what = format!("{name} of {}", plural(values.len(), "miner", "miners"));
    let caption = match chance {
        Some(chance) => format!("{what}; in colour the {above} above {}", number(chance)),
        None => what,
    };
    let label = format!("{caption}: from {} to {}", number(low), number(high));
    let marks = [most.to_string(), String::new(), "0".into()];
    let drawn = svg::columns(&parts, |bin| bin >= below, &label);
    Some(Figure::new(caption, marks, drawn, [number(low), number(high)]))
}

/// How many miners are not paid, by reason, most frequent first.
pub(super) fn why_not(miners: &[MinerReport]) -> Vec<Reason<'_>> {
    let mut reasons: BTreeMap<&str, Reason<'_>> = BTreeMap::new();
    for why in miners.iter().filter_map(|miner| miner.why_zero.as_ref()) {
        let reason = Reason { times: 0, text: &why.text, differs: false };
        let reason = reasons.entry(&why.code).or_insert(reason);
        reason.times += 1;
        reason.differs |= reason.text != why.text;
    }
    let mut reasons: Vec<_> = reasons.into_values().collect();
    reasons.sort_by(|a, b| b.times.cmp(&a.times).then(a.text.cmp(b.text)));
    reasons.truncate(COLUMNS);
    reasons
}

/// A number about a miner in a challenge. One that is named `.._with_miner` is the place of another miner.
pub(super) fn miner_value<'a>(view: &'a RunView<'_>, challenge: usize, fact: &Fact) -> FactValue<'a> {
    let hotkey = view.challenges.get(challenge).and_then(|challenge| challenge.scored.miner_of(fact));
    FactValue { value: fact.value, miner: hotkey.map(|hotkey| view.link(hotkey)) }
}

/// Whether a number says how often a label came true.
fn is_label(fact: &Fact) -> bool {
    fact.name.starts_with("share_") && (0.0..=1.0).contains(&fact.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(name: &str, value: f64) -> Fact {
        Fact { name: name.into(), value }
    }

    #[test]
    fn labels_are_one_bar() {
        let facts = [fact("rows", 9.0), fact("share_up", 0.25), fact("share_down", 0.5)];
        let drawn = labels(&facts).unwrap().to_string();
        assert!(drawn.contains("up 25.0%, down 50.0%, other 25.0%"), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 3);
        assert_eq!(list(&facts), [("rows", "9".to_owned())]);
        assert!(labels(&[fact("rows", 9.0)]).is_none());
        assert!(!labels(&[fact("share_up", 1.0)]).unwrap().to_string().contains("other"));
    }

    #[test]
    fn miners_are_counted_by_their_auc() {
        let miner = |auc| MinerReport { facts: vec![fact("auc", auc)], ..MinerReport::default() };
        let drawn = |miners: &[MinerReport]| distribution(miners).unwrap().to_string();
        let all = drawn(&[0.4, 0.5, 0.6, 0.6, f64::NAN].map(miner));
        assert!(all.contains("AUC of 4 miners; in colour the 2 above 0.5000"), "{all}");
        assert_eq!(all.matches("class=\"marked\"").count(), BINS / 2);
        // A miner below chance has a column without colour, however close.
        let close = drawn(&[0.499, 0.8, 0.9].map(miner));
        assert_eq!(close.matches("class=\"marked\"").count(), BINS - 1, "{close}");
        let below = drawn(&[0.3, 0.4, 0.5].map(miner));
        assert_eq!(below.matches("class=\"marked\"").count(), 1, "{below}");
        assert!(distribution(&[0.4].map(miner)).is_none());
    }
}
