//! Everything that several sections need, worked out once.

use super::links::Links;
use super::text::{esc, short};
use crate::standing::series::Series;
use crate::standing::{Standing, best_first};
use mantis_config::{Challenge, Config};
use mantis_ledger::{Activities, Activity, Counts, Past};
use mantis_plugin_api::MinerReport;
use mantis_weights::{Outcome, Step, on_chain};
use mantis_weights::{Scored, Scores};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the sections are made from: all read already.
#[derive(Clone, Copy)]
pub(crate) struct Matter<'a> {
    /// What it is called.
    pub(crate) title: &'a str,
    pub(crate) config: &'a Config,
    pub(crate) scores: &'a Scores,
    pub(crate) outcome: &'a Outcome,
    /// What is known of a hotkey beside its name. May be empty.
    pub(crate) about: &'a BTreeMap<String, String>,
    /// Refusals of everybody, newest first.
    pub(crate) refusals: &'a [Counts],
    /// Prices, or rates, by the ticker that they are stored under.
    pub(crate) series: &'a BTreeMap<String, Arc<Series>>,
    /// Weights of the computations before.
    pub(crate) past: &'a Past,
    /// How miners send, by ticker and hotkey.
    pub(crate) activities: &'a Activities,
    /// Where links lead.
    pub(crate) links: Links,
}

impl<'a> Matter<'a> {
    /// What a validator's pages are made from.
    pub(crate) fn of(standing: &'a Standing, refusals: &'a [Counts]) -> Self {
        Self {
            title: "Mantis",
            config: &standing.config,
            scores: &standing.scores,
            outcome: &standing.outcome,
            about: &standing.about,
            refusals,
            series: &standing.series,
            past: &standing.past,
            activities: &standing.activities,
            links: Links::Pages,
        }
    }
}

/// The result of a run, seen from miners and from challenges.
pub(crate) struct View<'a> {
    pub(crate) input: &'a Matter<'a>,
    /// In the order of the configuration.
    pub(crate) parts: Vec<Part<'a>>,
    /// Best first.
    pub(crate) miners: Vec<Miner<'a>>,
    /// Index into `miners` by hotkey.
    pub(crate) places: BTreeMap<&'a str, usize>,
}

/// One challenge.
pub(crate) struct Part<'a> {
    pub(crate) scored: &'a Scored,
    pub(crate) entry: Option<&'a Challenge>,
    pub(crate) anchor: String,
    /// A link to it, escaped.
    pub(crate) href: String,
    /// Its part of all weights that count; 0 where it pays nobody.
    pub(crate) counts: f64,
    /// Miners it pays.
    pub(crate) paid: usize,
    /// The largest share of what it pays, or 1.
    pub(crate) best: f64,
    pub(crate) series: Option<Arc<Series>>,
}

/// One miner.
pub(crate) struct Miner<'a> {
    pub(crate) hotkey: &'a str,
    pub(crate) anchor: String,
    /// A link to it, escaped.
    pub(crate) href: String,
    pub(crate) about: &'a str,
    /// Its part of the aggregated salience.
    pub(crate) total: f64,
    pub(crate) step: Option<&'a Step>,
    /// What the chain is given.
    pub(crate) on_chain: u16,
    /// Its weights in the computations before, oldest first; may be empty.
    pub(crate) past: &'a [f64],
    /// One per challenge.
    pub(crate) cells: Vec<Cell<'a>>,
    /// Newest first.
    pub(crate) refusals: Vec<&'a Counts>,
}

/// One miner in one challenge.
pub(crate) struct Cell<'a> {
    /// Its part of what the challenge pays.
    pub(crate) share: f64,
    /// Its place among those paid.
    pub(crate) rank: Option<usize>,
    /// `None`: it has sent nothing, or nothing was scored.
    pub(crate) report: Option<&'a MinerReport>,
    /// How it sends; `None` where it has sent nothing of late, or nobody looked.
    pub(crate) activity: Option<&'a Activity>,
}

impl<'a> View<'a> {
    pub(crate) fn new(input: &'a Matter<'a>) -> Self {
        let miners = miners(input);
        let places = miners.iter().enumerate().map(|(i, miner)| (miner.hotkey, i)).collect();
        Self { input, parts: parts(input), miners, places }
    }

    /// Miners that are given something by any challenge.
    pub(crate) fn paid(&self) -> usize {
        self.miners.iter().filter(|miner| miner.total > 0.0).count()
    }

    /// A miner and its place, best first from 0; `None` where nothing is known of it.
    pub(crate) fn miner(&self, hotkey: &str) -> Option<(usize, &Miner<'a>)> {
        let place = *self.places.get(hotkey)?;
        Some((place, self.miners.get(place)?))
    }

    /// A challenge and its place in the configuration, from 0.
    pub(crate) fn part(&self, ticker: &str) -> Option<(usize, &Part<'a>)> {
        self.parts.iter().enumerate().find(|(_, part)| part.scored.ticker == ticker)
    }

    /// A link to a miner.
    pub(crate) fn link(&self, hotkey: &str) -> String {
        let name = esc(&short(hotkey));
        match self.places.get(hotkey).and_then(|&place| self.miners.get(place)) {
            Some(miner) => format!(r#"<a href="{}">{name}</a>"#, miner.href),
            None => format!(r#"<span>{name}</span>"#),
        }
    }
}

impl Miner<'_> {
    /// Its final weight; 0 where none is set.
    pub(crate) fn weight(&self) -> f64 {
        self.step.map_or(0.0, |step| step.weight)
    }
}

fn parts<'a>(input: &'a Matter<'a>) -> Vec<Part<'a>> {
    let challenges = &input.scores.challenges;
    let sum: f64 = challenges.iter().filter(|c| c.paid() > 0).map(|c| c.weight).sum();
    let part = |(i, scored): (usize, &'a Scored)| {
        let entry = input.config.challenges.iter().find(|entry| entry.ticker == scored.ticker);
        let paid = scored.paid();
        let best = scored.shares().values().copied().fold(0.0, f64::max);
        let anchor = anchor("c-", &scored.ticker).unwrap_or_else(|| format!("c-{i}-"));
        Part {
            scored,
            entry,
            href: input.links.challenge(&scored.ticker, &anchor),
            anchor,
            counts: if paid > 0 && sum > 0.0 { scored.weight / sum } else { 0.0 },
            paid,
            best: if best > 0.0 { best } else { 1.0 },
            series: entry.and_then(|entry| input.series.get(entry.price_ticker())).cloned(),
        }
    };
    challenges.iter().enumerate().map(part).collect()
}

fn miners<'a>(input: &'a Matter<'a>) -> Vec<Miner<'a>> {
    let mut refused: BTreeMap<&str, Vec<&Counts>> = BTreeMap::new();
    for counts in input.refusals {
        refused.entry(&counts.last.hotkey).or_default().push(counts);
    }
    let burn_uid = input.config.network.burn_uid;
    let steps = input.outcome.steps();
    let on_chain = on_chain(steps);
    let steps: BTreeMap<&str, &Step> = steps.iter().map(|step| (step.hotkey.as_str(), step)).collect();
    let mut hotkeys: BTreeSet<&str> = BTreeSet::new();
    hotkeys.extend(input.scores.challenges.iter().flat_map(|c| &c.hotkeys).map(String::as_str));
    hotkeys.extend(input.scores.total.keys().map(String::as_str));
    hotkeys.extend(input.about.keys().map(String::as_str));
    hotkeys.extend(refused.keys().copied());
    // Whoever is given the burn need not be a miner.
    hotkeys.extend(steps.values().filter(|step| step.uid != burn_uid).map(|step| step.hotkey.as_str()));

    let columns: Vec<_> =
        input.scores.challenges.iter().map(|c| Column::new(c, input.activities.get(&c.ticker))).collect();
    let mut miners: Vec<Miner<'_>> = hotkeys
        .into_iter()
        .enumerate()
        .map(|(i, hotkey)| {
            let anchor = anchor("", hotkey).unwrap_or_else(|| format!("m-{i}"));
            (hotkey, input.links.miner(hotkey, &anchor), anchor)
        })
        .map(|(hotkey, href, anchor)| Miner {
            hotkey,
            anchor,
            href,
            about: input.about.get(hotkey).map_or("", String::as_str),
            total: input.scores.total.get(hotkey).copied().unwrap_or(0.0),
            step: steps.get(hotkey).copied(),
            on_chain: steps.get(hotkey).and_then(|step| on_chain.get(&step.uid)).copied().unwrap_or(0),
            past: input.past.weights.get(hotkey).map_or(&[][..], Vec::as_slice),
            cells: columns.iter().map(|column| column.cell(hotkey)).collect(),
            refusals: refused.remove(hotkey).unwrap_or_default(),
        })
        .collect();
    let earned = |miner: &Miner<'_>| match miner.step {
        Some(step) if step.uid == burn_uid => miner.total,
        _ => miner.weight(),
    };
    miners.sort_by(|a, b| best_first((a.total, earned(a), a.hotkey), (b.total, earned(b), b.hotkey)));
    miners
}

/// A challenge's miners, to be asked for one by one.
struct Column<'a> {
    shares: BTreeMap<String, f64>,
    ranks: BTreeMap<String, usize>,
    reports: BTreeMap<&'a str, &'a MinerReport>,
    activities: Option<&'a BTreeMap<String, Activity>>,
}

impl<'a> Column<'a> {
    fn new(scored: &'a Scored, activities: Option<&'a BTreeMap<String, Activity>>) -> Self {
        let shares = scored.shares();
        let mut order: Vec<(&String, f64)> =
            shares.iter().map(|(k, &v)| (k, v)).filter(|(_, share)| *share > 0.0).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut ranks = BTreeMap::new();
        let mut rank = 1;
        for (i, (hotkey, share)) in order.iter().enumerate() {
            if i > 0 && order.get(i - 1).is_some_and(|before| before.1 > *share) {
                rank = i + 1;
            }
            ranks.insert((*hotkey).clone(), rank);
        }
        let reports = scored.salience.iter().flat_map(|salience| &salience.miners);
        let reports = scored.hotkeys.iter().map(String::as_str).zip(reports).collect();
        Self { shares, ranks, reports, activities }
    }

    fn cell(&self, hotkey: &str) -> Cell<'a> {
        Cell {
            share: self.shares.get(hotkey).copied().unwrap_or(0.0),
            rank: self.ranks.get(hotkey).copied(),
            report: self.reports.get(hotkey).copied(),
            activity: self.activities.and_then(|all| all.get(hotkey)),
        }
    }
}

/// A name that can be an anchor as it is: letters and digits. Anchors of the page's own all have a dash.
fn anchor(prefix: &str, name: &str) -> Option<String> {
    let plain = !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| format!("{prefix}{name}"))
}
