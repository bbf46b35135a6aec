//! Who earns what, best first.

use super::Standing;
use mantis_weights::Settlement;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// One miner among all.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its place, from 1; `None` if it earns nothing.
    pub rank: Option<usize>,
    /// Its hotkey.
    pub hotkey: String,
    /// Its UID, if it is registered and weights came of the computation.
    pub uid: Option<u16>,
    /// Its part of the total salience, 0 to 1.
    pub total: f64,
    /// Its smoothed weight, 0 to 1.
    pub weight: f64,
    /// What the chain is given, 0 to 65,535.
    pub on_chain: u16,
}

impl Standing {
    /// All miners that were scored or weighed, best first: those that earn before those that do not, then by weight, then
    /// by salience, then by hotkey. The UID that is given the burn is placed by its salience.
    #[must_use]
    pub fn ranking(&self) -> Vec<Ranked> {
        let steps = self.outcome.settlements();
        let burn_uid = self.config.network.burn_uid;
        let by_hotkey: BTreeMap<&str, &Settlement> =
            steps.iter().map(|step| (step.hotkey.as_str(), step)).collect();
        let mut hotkeys: BTreeSet<&str> =
            self.scores.challenges.iter().flat_map(|scored| &scored.hotkeys).map(String::as_str).collect();
        hotkeys.extend(steps.iter().filter(|step| step.uid != burn_uid).map(|step| step.hotkey.as_str()));
        let mut all: Vec<Ranked> = hotkeys
            .into_iter()
            .map(|hotkey| {
                let step = by_hotkey.get(hotkey);
                Ranked {
                    rank: None,
                    uid: step.map(|step| step.uid),
                    total: self.scores.total.get(hotkey).copied().unwrap_or(0.0),
                    weight: step.map_or(0.0, |step| step.weight),
                    on_chain: step.map_or(0, |step| self.on_chain(step.uid)),
                    hotkey: hotkey.to_owned(),
                }
            })
            .collect();
        let earned = |one: &Ranked| if one.uid == Some(burn_uid) { one.total } else { one.weight };
        all.sort_by(|a, b| best_first((a.total, earned(a), &a.hotkey), (b.total, earned(b), &b.hotkey)));
        for (place, one) in (1..).zip(&mut all) {
            one.rank = (one.total > 0.0).then_some(place);
        }
        all
    }
}

/// The order of miners, each given as its total salience, what it earned and its hotkey: those that earn before those
/// that do not, then by what they earned, then by salience. The UID that is given the burn earned its salience.
pub(crate) fn best_first(a: (f64, f64, &str), b: (f64, f64, &str)) -> Ordering {
    (b.0 > 0.0).cmp(&(a.0 > 0.0)).then(b.1.total_cmp(&a.1)).then(b.0.total_cmp(&a.0)).then(a.2.cmp(b.2))
}
