//! Who earns what, best first.

use super::Standing;
use crate::weights::{Outcome, Step, to_u16};
use std::collections::{BTreeMap, BTreeSet};

/// One miner among all.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its place, from 1; `None` where it earns nothing.
    pub rank: Option<usize>,
    /// Its hotkey.
    pub hotkey: String,
    /// Its UID, where it is registered and weights came of the computation.
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
    /// by salience, then by hotkey. Whoever is given the burn is placed by its salience.
    #[must_use]
    pub fn ranking(&self) -> Vec<Ranked> {
        let steps: &[Step] = match &self.outcome {
            Outcome::Weights(steps) => steps,
            Outcome::Rejected(_) => &[],
        };
        let burn_uid = self.config.network.burn_uid;
        let on_chain: BTreeMap<u16, u16> =
            to_u16(&steps.iter().map(|step| (step.uid, step.weight)).collect()).into_iter().collect();
        let by_hotkey: BTreeMap<&str, &Step> =
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
                    on_chain: step.and_then(|step| on_chain.get(&step.uid)).copied().unwrap_or(0),
                    hotkey: hotkey.to_owned(),
                }
            })
            .collect();
        let earned = |one: &Ranked| if one.uid == Some(burn_uid) { one.total } else { one.weight };
        all.sort_by(|a, b| {
            (b.total > 0.0)
                .cmp(&(a.total > 0.0))
                .then(earned(b).total_cmp(&earned(a)))
                .then(b.total.total_cmp(&a.total))
                .then(a.hotkey.cmp(&b.hotkey))
        });
        for (place, one) in (1..).zip(&mut all) {
            one.rank = (one.total > 0.0).then_some(place);
        }
        all
    }
}
