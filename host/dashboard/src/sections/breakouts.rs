//! Breakouts of a challenge about events, marked on the prices of their assets.

use super::svg;
use super::text::{count, esc, plural};
use super::view::Part;
use crate::standing::series::{Points, Series, Unit};
use serde::Deserialize;

/// Assets that are shown at once.
const SHOWN: usize = 6;

/// The part of an asset's live state that is drawn.
#[derive(Deserialize)]
struct State {
    #[serde(default)]
    completed: Vec<Event>,
    pending_high: Option<Pending>,
    pending_low: Option<Pending>,
}

#[derive(Deserialize)]
struct Event {
    trigger_sidx: i64,
    direction: String,
    label: u8,
}

#[derive(Deserialize)]
struct Pending {
    trigger_sidx: i64,
}

/// A chart per asset, with its breakouts; empty where the ledger has none for the challenge. `states` are the ledger's.
pub(crate) fn charts(part: &Part<'_>, states: &[(String, String)]) -> String {
    let (Some(entry), Some(series)) = (part.entry, &part.series) else { return String::new() };
    if entry.blocks_ahead != 0 || series.unit != Unit::Change {
        return String::new();
    }
    let mut drawn: Vec<(usize, String)> = Vec::new();
    let (mut went, mut turned, mut open) = (0, 0, 0);
    for asset in &entry.assets {
        let curve = series.assets.iter().find(|(name, _)| name == asset).map(|(_, points)| points);
        let state = states.iter().find(|(name, _)| name == asset);
        // A state that cannot be read is the plugin's matter: it says so when it scores.
        let state = state.and_then(|(_, json)| serde_json::from_str::<State>(json).ok());
        let (Some(curve), Some(state)) = (curve, state) else { continue };
        let went_on = state.completed.iter().filter(|event| event.label == 1).count();
        let pending = state.pending_high.iter().chain(&state.pending_low).count();
        went += went_on;
        turned += state.completed.len() - went_on;
        open += pending;
        drawn.push((state.completed.len() + pending, one(asset, series, curve, &state)));
    }
    // Where most happened comes first.
    drawn.sort_by_key(|(events, _)| std::cmp::Reverse(*events));
    let mut drawn: Vec<String> = drawn.into_iter().map(|(_, one)| one).collect();
    if drawn.is_empty() {
        return String::new();
    }
    let more = drawn.split_off(drawn.len().min(SHOWN));
    let more = if more.is_empty() {
        String::new()
    } else {
        let rest = plural(more.len(), "more asset", "more assets");
        format!(
            "<details><summary>{rest}</summary>\n<div class=\"grid\">\n{}</div>\n</details>\n",
            more.concat()
        )
    };
    format!(
        "<h4>Breakouts</h4>\n<p class=\"muted\">{} went on, {} turned back, {} still open. Prices as change since the ledger's first.</p>\n<ul class=\"legend\"><li><span class=\"swatch on\"></span>went on</li><li><span class=\"swatch back\"></span>turned back</li><li><span class=\"swatch open\"></span>open</li></ul>\n<div class=\"grid\">\n{}</div>\n{more}",
        count(went as i128),
        count(turned as i128),
        count(open as i128),
        drawn.concat()
    )
}

fn one(asset: &str, series: &Series, curve: &Points, state: &State) -> String {
    let low = curve.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let high = curve.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    let height = if high > low { high - low } else { 1.0 };
    let width = series.range.1.saturating_sub(series.range.0).max(1) as f64;
    let curve: Points = curve.iter().map(|&(x, y)| (x, (y - low) / height)).collect();
    let place = |sidx: i64| {
        let x = sidx.saturating_sub(series.range.0) as f64 / width;
        (0.0..=1.0).contains(&x).then(|| (x, height_at(&curve, x)))
    };
    let mut dots = Vec::new();
    for event in &state.completed {
        if let Some((x, y)) = place(event.trigger_sidx) {
            dots.push((x, y, if event.label == 1 { "on" } else { "back" }));
        }
    }
    for pending in state.pending_high.iter().chain(&state.pending_low) {
        if let Some((x, y)) = place(pending.trigger_sidx) {
            dots.push((x, y, "open"));
        }
    }
    let up = state.completed.iter().filter(|event| event.direction == "high").count();
    let open = dots.iter().filter(|dot| dot.2 == "open").count();
    let open = if open > 0 { format!(", {open} open") } else { String::new() };
    let label = format!(
        "{}: {}, {up} of them upwards",
        esc(asset),
        plural(state.completed.len(), "breakout", "breakouts")
    );
    format!(
        "<figure class=\"small-chart\"><figcaption><b>{}</b> {}{open}</figcaption>{}</figure>\n",
        esc(asset),
        plural(state.completed.len(), "breakout", "breakouts"),
        svg::dotted(&curve, &dots, &label)
    )
}

/// The height of a curve at a place, on the line between the two points beside it.
fn height_at(curve: &[(f64, f64)], x: f64) -> f64 {
    let after = curve.partition_point(|point| point.0 < x);
    match (after.checked_sub(1).and_then(|before| curve.get(before)), curve.get(after)) {
        (Some(a), Some(b)) if b.0 > a.0 => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
        (_, Some(only)) | (Some(only), None) => only.1,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_lie_on_the_curve() {
        let curve = [(0.0, 0.0), (0.5, 1.0), (1.0, 0.5)];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|x| height_at(&curve, x)), [0.0, 0.5, 1.0, 0.75, 0.5]);
        assert_eq!(height_at(&curve[..1], 0.7), 0.0);
        assert_eq!(height_at(&[], 0.7), 0.0);
        let series = Series {
            assets: vec![("BTC".into(), vec![(0.0, -1.0), (1.0, 3.0)])],
            main: vec![],
            unit: Unit::Change,
            range: (100, 200),
        };
        let text = r#"{"ticker":"BTC","completed":[
            {"trigger_sidx":150,"direction":"high","label":1,"embeddings":{"a":[1]}},
            {"trigger_sidx":50,"direction":"low","label":0}],
            "pending_high":null,"pending_low":{"trigger_sidx":200}}"#;
        let drawn = one("BTC", &series, &series.assets[0].1, &serde_json::from_str(text).unwrap());
        assert!(drawn.contains(r#"<path class="dot on" d="M500 100h0"/>"#), "{drawn}");
        assert!(drawn.contains(r#"<path class="dot open" d="M1000 0h0"/>"#) && !drawn.contains("dot back"));
        assert!(drawn.contains("2 breakouts, 1 of them upwards"));
    }
}
