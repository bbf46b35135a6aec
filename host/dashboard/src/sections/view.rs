//! Everything that several sections need, worked out once.

use super::filters;
use super::links::Links;
use crate::standing::{Series, Standing, best_first};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Challenge;
use mantis_ledger::{Activity, RejectionCounts};
use mantis_plugin_api::MinerReport;
use mantis_weights::{Scored, Settlement};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The result of a run, seen from challenges and from miners.
pub(crate) struct RunView<'a> {
    pub(crate) standing: &'a Standing,
    /// Refusals of all miners, newest first.
    pub(crate) refusals: &'a [RejectionCounts],
    /// In the order of the configuration.
    pub(crate) challenges: Vec<ChallengeView<'a>>,
    /// Best first.
    pub(crate) miners: Vec<MinerView<'a>>,
    /// Index into `miners` by hotkey.
    places: BTreeMap<&'a str, usize>,
}

/// One challenge of a run.
pub(crate) struct ChallengeView<'a> {
    pub(crate) scored: &'a Scored,
    pub(crate) entry: Option<&'a Challenge>,
    pub(crate) anchor: String,
    /// The address of what is said of it.
    pub(crate) href: String,
    /// Its part of all weights that count; 0 if it pays no miner and burns nothing.
    pub(crate) counts: f64,
    /// Miners it pays.
    pub(crate) paid: usize,
    /// The part of what it pays that nobody earns.
    pub(crate) burned: f64,
    /// What each miner gets of what it pays, by hotkey.
    pub(crate) shares: &'a BTreeMap<String, f64>,
    /// The largest share of what it pays, or 1.
    pub(crate) best: f64,
    pub(crate) series: Option<Arc<Series>>,
}

/// One miner of a run.
pub(crate) struct MinerView<'a> {
    pub(crate) hotkey: &'a str,
    pub(crate) anchor: String,
    /// The address of what is said of it.
    pub(crate) href: String,
    /// What is known of it beside its name; may be empty.
    pub(crate) about: &'a str,
    /// Its part of the aggregated salience.
    pub(crate) total: f64,
    pub(crate) step: Option<&'a Settlement>,
    /// What the chain is given.
    pub(crate) on_chain: u16,
    /// Its weights in the computations before, oldest first; may be empty.
    pub(crate) past: &'a [f64],
    /// One per challenge.
    pub(crate) entries: Vec<MinerInChallenge<'a>>,
    /// Newest first.
    pub(crate) refusals: Vec<&'a RejectionCounts>,
}

/// One miner in one challenge.
#[derive(Clone, Copy)]
pub(crate) struct MinerInChallenge<'a> {
    /// Its part of what the challenge pays.
    pub(crate) share: f64,
    /// Its place among those paid.
    pub(crate) rank: Option<usize>,
    /// `None`: it has sent nothing, or nothing was scored.
    pub(crate) report: Option<&'a MinerReport>,
    /// How it sends; `None` if it has sent nothing of late, or that was not recorded.
    pub(crate) activity: Option<&'a Activity>,
}

/// A miner's short name, as a link if something is said of it.
#[derive(Clone, Debug, Template)]
#[template(path = "miner_link.html")]
pub(crate) struct MinerLink<'a> {
    hotkey: &'a str,
    href: Option<&'a str>,
}

impl HtmlSafe for MinerLink<'_> {}

impl<'a> RunView<'a> {
    pub(crate) fn new(standing: &'a Standing, refusals: &'a [RejectionCounts], links: Links) -> Self {
        let miners = miners(standing, refusals, links);
        let places = miners.iter().enumerate().map(|(i, miner)| (miner.hotkey, i)).collect();
        Self { standing, refusals, challenges: challenges(standing, links), miners, places }
    }

    /// Miners that are given something by any challenge.
    pub(crate) fn paid(&self) -> usize {
        self.miners.iter().filter(|miner| miner.total > 0.0).count()
    }

    /// A miner and its place, best first from 0; `None` if nothing is known of it.
    pub(crate) fn miner(&self, hotkey: &str) -> Option<(usize, &MinerView<'a>)> {
        let place = *self.places.get(hotkey)?;
        Some((place, self.miners.get(place)?))
    }

    /// A challenge and its place in the configuration, from 0.
    pub(crate) fn challenge(&self, ticker: &str) -> Option<(usize, &ChallengeView<'a>)> {
        self.challenges.iter().enumerate().find(|(_, challenge)| challenge.scored.ticker == ticker)
    }

    /// A link to a miner.
    pub(crate) fn link<'b>(&'b self, hotkey: &'b str) -> MinerLink<'b> {
        MinerLink { hotkey, href: self.miner(hotkey).map(|(_, miner)| miner.href.as_str()) }
    }
}

impl MinerView<'_> {
    /// Its final weight; 0 if none is set.
    pub(crate) fn weight(&self) -> f64 {
        self.step.map_or(0.0, |step| step.weight)
    }

    /// How many challenges pay it.
    pub(crate) fn paying(&self) -> usize {
        self.entries.iter().filter(|entry| entry.share > 0.0).count()
    }
}

impl ChallengeView<'_> {
    pub(crate) fn ticker(&self) -> &str {
        &self.scored.ticker
    }

    /// Whether it pays a miner, or says that nobody earns: it counts if it has a weight.
    pub(crate) fn pays(&self) -> bool {
        self.paid > 0 || self.burned > 0.0
    }

    /// Whether its weight is 0: it is scored and shown, and counts for nothing.
    pub(crate) fn is_shadow(&self) -> bool {
        self.scored.weight <= 0.0
    }

    /// What a miner gets of what it pays.
    pub(crate) fn share(&self, hotkey: &str) -> f64 {
        self.shares.get(hotkey).copied().unwrap_or(0.0)
    }
}

fn challenges<'a>(standing: &'a Standing, links: Links) -> Vec<ChallengeView<'a>> {
    let counts = standing.counts();
    let view = |(i, (scored, shares)): (usize, (&'a Scored, &'a BTreeMap<String, f64>))| {
        let entry = standing.config.challenges.iter().find(|entry| entry.ticker == scored.ticker);
        let best = shares.values().copied().fold(0.0, f64::max);
        let anchor = anchor("c-", &scored.ticker).unwrap_or_else(|| format!("c-{i}-"));
        ChallengeView {
            scored,
            entry,
            href: links.challenge(&scored.ticker, &anchor),
            anchor,
            counts: counts.get(&scored.ticker).copied().unwrap_or(0.0),
            paid: scored.paid(),
            burned: scored.burn_share(),
            shares,
            best: if best > 0.0 { best } else { 1.0 },
            series: entry.and_then(|entry| standing.series.get(entry.price_ticker())).cloned(),
        }
    };
    standing.challenges().enumerate().map(view).collect()
}

fn miners<'a>(standing: &'a Standing, refusals: &'a [RejectionCounts], links: Links) -> Vec<MinerView<'a>> {
    let mut refused: BTreeMap<&str, Vec<&RejectionCounts>> = BTreeMap::new();
    for counts in refusals {
        refused.entry(&counts.last.hotkey).or_default().push(counts);
    }
    let burn_uid = standing.config.network.burn_uid;
    let steps: BTreeMap<&str, &Settlement> =
        standing.outcome.settlements().iter().map(|step| (step.hotkey.as_str(), step)).collect();
    let mut hotkeys: BTreeSet<&str> = BTreeSet::new();
    hotkeys.extend(standing.scores.challenges.iter().flat_map(|c| &c.hotkeys).map(String::as_str));
    hotkeys.extend(standing.scores.total.keys().map(String::as_str));
    hotkeys.extend(standing.about.keys().map(String::as_str));
    // The UID that is given the burn need not be a miner, and is not one for having served nothing.
    let burned = steps.values().find(|step| step.uid == burn_uid).map(|step| step.hotkey.as_str());
    hotkeys.extend(refused.keys().copied().filter(|&hotkey| burned != Some(hotkey)));
    hotkeys.extend(steps.values().filter(|step| step.uid != burn_uid).map(|step| step.hotkey.as_str()));

    let columns: Vec<Column<'_>> = standing
        .challenges()
        .map(|(scored, shares)| Column::new(scored, shares, standing.activities.get(&scored.ticker)))
        .collect();
    let mut miners: Vec<MinerView<'_>> = hotkeys
        .into_iter()
        .enumerate()
        .map(|(i, hotkey)| {
            let anchor = anchor("", hotkey).unwrap_or_else(|| format!("m-{i}"));
            let step = steps.get(hotkey).copied();
            MinerView {
                hotkey,
                href: links.miner(hotkey, &anchor),
                anchor,
                about: standing.about.get(hotkey).map_or("", String::as_str),
                total: standing.scores.total.get(hotkey).copied().unwrap_or(0.0),
                step,
                on_chain: step.map_or(0, |step| standing.on_chain(step.uid)),
                past: standing.past.weights.get(hotkey).map_or(&[][..], Vec::as_slice),
                entries: columns.iter().map(|column| column.entry(hotkey)).collect(),
                refusals: refused.remove(hotkey).unwrap_or_default(),
            }
        })
        .collect();
    let earned = |miner: &MinerView<'_>| match miner.step {
        Some(step) if step.uid == burn_uid => miner.total,
        _ => miner.weight(),
    };
    miners.sort_by(|a, b| best_first((a.total, earned(a), a.hotkey), (b.total, earned(b), b.hotkey)));
    miners
}

/// A challenge's miners, to be asked for one by one.
struct Column<'a> {
    scored: &'a Scored,
    shares: &'a BTreeMap<String, f64>,
    reports: BTreeMap<&'a str, &'a MinerReport>,
    activities: Option<&'a BTreeMap<String, Activity>>,
}

impl<'a> Column<'a> {
    fn new(
        scored: &'a Scored,
        shares: &'a BTreeMap<String, f64>,
        activities: Option<&'a BTreeMap<String, Activity>>,
    ) -> Self {
        let reports = scored.salience.iter().flat_map(|salience| &salience.miners);
        let reports = scored.hotkeys.iter().map(String::as_str).zip(reports).collect();
        Self { scored, shares, reports, activities }
    }

    fn entry(&self, hotkey: &str) -> MinerInChallenge<'a> {
        MinerInChallenge {
            share: self.shares.get(hotkey).copied().unwrap_or(0.0),
            rank: self.scored.rank(hotkey),
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
