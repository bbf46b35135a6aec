//! Breakouts of a challenge about events, marked on the prices of their assets.

use super::filters;
use super::svg::{self, Svg};
use super::text::{clean, plural};
use super::view::ChallengeView;
use crate::standing::{Points, Series, Unit};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Sidx;
use serde::Deserialize;

/// Assets that are shown at once.
const SHOWN: usize = 6;

/// A chart per asset, with its breakouts.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "sections/breakouts.html")]
pub(super) struct Breakouts<'a> {
    went_on: usize,
    turned_back: usize,
    open: usize,
    /// The assets with most breakouts.
    first: Vec<AssetBreakouts<'a>>,
    more: Vec<AssetBreakouts<'a>>,
}

/// One asset with its breakouts.
#[derive(Clone, Debug, Template)]
#[template(path = "sections/asset_breakouts.html")]
struct AssetBreakouts<'a> {
    asset: &'a str,
    completed: usize,
    /// Breakouts that are open, and whose beginning is drawn.
    open: usize,
    drawn: Svg,
}

impl HtmlSafe for Breakouts<'_> {}
impl HtmlSafe for AssetBreakouts<'_> {}

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
    trigger_sidx: Sidx,
    direction: String,
    label: u8,
}

#[derive(Deserialize)]
struct Pending {
    trigger_sidx: Sidx,
}

impl State {
    fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending_high.iter().chain(&self.pending_low)
    }
}

impl<'a> Breakouts<'a> {
    /// The breakouts of a challenge; `None` if the ledger has none for it. `states` are the ledger's, by asset.
    pub(super) fn new(challenge: &'a ChallengeView<'_>, states: &[(String, String)]) -> Option<Self> {
        let (entry, series) = (challenge.entry?, challenge.series.as_ref()?);
        if entry.blocks_ahead != 0 || series.unit != Unit::Change {
            return None;
        }
        let mut all = Self::default();
        let mut drawn: Vec<(usize, AssetBreakouts<'a>)> = Vec::new();
        for asset in &entry.assets {
            let curve = series.assets.iter().find(|(name, _)| name == asset).map(|(_, points)| points);
            let state = states.iter().find(|(name, _)| name == asset);
            // A state that cannot be read is for the plugin to report: it does so when it scores.
            let state = state.and_then(|(_, json)| serde_json::from_str::<State>(json).ok());
            let (Some(curve), Some(state)) = (curve, state) else { continue };
            let went_on = state.completed.iter().filter(|event| event.label == 1).count();
            let pending = state.pending().count();
            all.went_on += went_on;
            all.turned_back += state.completed.len() - went_on;
            all.open += pending;
            drawn.push((state.completed.len() + pending, AssetBreakouts::new(asset, series, curve, &state)));
        }
        if drawn.is_empty() {
            return None;
        }
        drawn.sort_by_key(|(events, _)| std::cmp::Reverse(*events));
        all.first = drawn.into_iter().map(|(_, one)| one).collect();
        all.more = all.first.split_off(all.first.len().min(SHOWN));
        Some(all)
    }
}

impl<'a> AssetBreakouts<'a> {
    fn new(asset: &'a str, series: &Series, curve: &Points, state: &State) -> Self {
        let low = curve.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let high = curve.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        let height = if high > low { high - low } else { 1.0 };
        let width = (series.range.1 - series.range.0).max(1) as f64;
        let curve: Points = curve.iter().map(|&(x, y)| (x, (y - low) / height)).collect();
        let place = |sidx: Sidx, class| {
            let x = (sidx - series.range.0) as f64 / width;
            (0.0..=1.0).contains(&x).then(|| (x, height_at(&curve, x), class))
        };
        let outcome = |event: &Event| if event.label == 1 { "on" } else { "back" };
        let mut dots: Vec<(f64, f64, &str)> =
            state.completed.iter().filter_map(|event| place(event.trigger_sidx, outcome(event))).collect();
        let completed = dots.len();
        dots.extend(state.pending().filter_map(|pending| place(pending.trigger_sidx, "open")));
        let up = state.completed.iter().filter(|event| event.direction == "high").count();
        let label = format!(
            "{}: {}, {up} of them upwards",
            clean(asset),
            plural(state.completed.len(), "breakout", "breakouts")
        );
        Self {
            asset,
            completed: state.completed.len(),
            open: dots.len() - completed,
            drawn: svg::dotted(&curve, &dots, &label),
        }
    }
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
            range: (Sidx(100), Sidx(200)),
        };
        let text = r#"{"ticker":"BTC","completed":[
            {"trigger_sidx":150,"direction":"high","label":1,"embeddings":{"a":[1]}},
            {"trigger_sidx":50,"direction":"low","label":0}],
            "pending_high":null,"pending_low":{"trigger_sidx":200}}"#;
        let state = serde_json::from_str(text).unwrap();
        let drawn = AssetBreakouts::new("BTC", &series, &series.assets[0].1, &state).to_string();
        assert!(drawn.contains(r#"<path class="dot on" d="M500 100h0"/>"#), "{drawn}");
        assert!(drawn.contains(r#"<path class="dot open" d="M1000 0h0"/>"#) && !drawn.contains("dot back"));
        assert!(drawn.contains("2 breakouts, 1 of them upwards"));
    }
}
