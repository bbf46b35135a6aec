//! What is said of courses: how far apart they are, how much moves in each, who gains.

use super::course::{Computed, Course};
use mantis_config::Block;
use mantis_weights::measures::{Weights, distance, effective_number, gini, turnover};
use std::collections::{BTreeMap, BTreeSet};

/// Hotkeys under a name, whose earnings are summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whose they are.
    pub hotkeys: BTreeSet<String>,
}

/// What is said of the weights that count from a block on.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The block.
    pub block: Block,
    /// The sum of all differences to the first candidate's, 0 to 2.
    pub distance: f64,
    /// The part of all weight that has changed hands since the computation before, 0 to 1; `None` for the first where there
    /// was none.
    pub turnover: Option<f64>,
    /// Gini's coefficient over the registered but the one of the burn, 0 to 1.
    pub gini: f64,
    /// As how many miners with equal weights they are, but for the one of the burn.
    pub effective: f64,
    /// The weight of the UID that the burn goes to, 0 to 1.
    pub burned: f64,
    /// The weight of each group, 0 to 1, in their order.
    pub groups: Vec<f64>,
}

/// What a challenge gives a hotkey in a computation.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// The challenge.
    pub ticker: &'a str,
    /// The hotkey, or `__burn__` for what nobody earns.
    pub hotkey: String,
    /// Its share of what the challenge pays, above 0 to 1.
    pub share: f64,
    /// Its share of what all challenges that pay count for: what it has of the total from this challenge.
    pub total: f64,
}

/// What a hotkey has of one candidate and of the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Gain {
    /// Whose.
    pub hotkey: String,
    /// Its weight, the mean over all blocks.
    pub weight: f64,
    /// The same of the first candidate.
    pub base: f64,
}

impl Gain {
    /// By how much it has more; below 0 where it has less.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.weight - self.base
    }
}

/// The measures of a course beside the first one, block by block.
#[must_use]
pub fn measured(base: &Course, course: &Course, groups: &[Group]) -> Vec<Measured> {
    let (theirs, own) = (base.in_force(), course.in_force());
    let (mut before, mut burn) = (course.before.clone(), None);
    let mut all = Vec::with_capacity(own.len());
    for ((computed, weights), base) in course.computed.iter().zip(own).zip(theirs) {
        // Of a computation that no weights came of it is not known; the weights before count on.
        burn = burn_hotkey(computed).or(burn);
        let burned = burn.and_then(|hotkey| weights.get(hotkey)).copied().unwrap_or(0.0);
        let miners = weights.iter().filter(|(hotkey, _)| Some(hotkey.as_str()) != burn);
        let miners: Vec<f64> = miners.map(|(_, weight)| *weight).collect();
        let sum = |group: &Group| group.hotkeys.iter().filter_map(|hotkey| weights.get(hotkey)).sum();
        all.push(Measured {
            block: computed.block,
            distance: distance(&weights, &base),
            turnover: before.as_ref().map(|before| turnover(before, &weights)),
            gini: gini(&miners),
            effective: effective_number(&miners),
            burned,
            groups: groups.iter().map(sum).collect(),
        });
        before = Some(weights);
    }
    all
}

/// The hotkey at the UID of the burn; `None` where no weights came of the computation.
fn burn_hotkey(computed: &Computed) -> Option<&str> {
    let uid = computed.config.network.burn_uid;
    let step = computed.outcome.settlements().iter().find(|step| step.uid == uid)?;
    Some(&step.hotkey)
}

/// Every hotkey with a weight in either course, by how much more it has than in the first, most first; of equal ones by name.
#[must_use]
pub fn gains(base: &Course, course: &Course) -> Vec<Gain> {
    let mean = |course: &Course| {
        let in_force = course.in_force();
        let blocks = in_force.len().max(1) as f64;
        let mut sums: Weights = BTreeMap::new();
        for (hotkey, weight) in in_force.into_iter().flatten() {
            *sums.entry(hotkey).or_default() += weight;
        }
        sums.values_mut().for_each(|weight| *weight /= blocks);
        sums
    };
    let (base, own) = (mean(base), mean(course));
    let hotkeys: BTreeSet<&String> = base.keys().chain(own.keys()).collect();
    let gain = |hotkey: &String| Gain {
        hotkey: hotkey.clone(),
        weight: own.get(hotkey).copied().unwrap_or(0.0),
        base: base.get(hotkey).copied().unwrap_or(0.0),
    };
    let mut gains: Vec<Gain> = hotkeys.into_iter().map(gain).collect();
    gains.retain(|gain| gain.weight > 0.0 || gain.base > 0.0);
    gains.sort_by(|a, b| b.change().total_cmp(&a.change()));
    gains
}

/// What each challenge gives to whom in a computation, by challenge in the order of the configuration, then by hotkey.
#[must_use]
pub fn parts(computed: &Computed) -> Vec<Part<'_>> {
    let counting = || computed.scored.iter().filter(|scored| scored.counts() && scored.weight > 0.0);
    let sum: f64 = counting().map(|scored| scored.weight).sum();
    let mut parts = Vec::new();
    for scored in &computed.scored {
        let weight = if scored.counts() && sum > 0.0 { scored.weight / sum } else { 0.0 };
        for (name, share) in scored.shares().named() {
            let hotkey = name.to_owned();
            parts.push(Part { ticker: &scored.ticker, hotkey, share, total: weight * share });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Config;
    use mantis_plugin_api::Salience;
    use mantis_weights::{Outcome, Scored, Settlement, WeightsRejection};
    use std::path::Path;
    use std::sync::Arc;

    fn course(name: &str, before: Option<&[f64]>, rows: &[Option<&[f64]>]) -> Course {
        let text = "[network]\nburn_uid = 1\n[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"p\"\ndim=2\nweight=1\n";
        let config = Arc::new(Config::parse(text, Path::new("a.toml")).unwrap());
        let named = |weights: &[f64]| -> Weights {
            (0..).zip(weights).map(|(i, weight): (u8, _)| (format!("h{i}"), *weight)).collect()
        };
        let step = |(uid, weight): (u16, &f64)| Settlement {
            uid,
            hotkey: format!("h{uid}"),
            salience: 0.0,
            young: false,
            share: 0.0,
            burned: 0.0,
            previous: None,
            weight: *weight,
        };
        let computed = (1..).zip(rows).map(|(k, weights)| Computed {
            block: Block(1000 * k),
            config: config.clone(),
            release: None,
            scored: Vec::new(),
            outcome: weights.map_or(Outcome::Rejected(WeightsRejection::Empty), |weights| {
                Outcome::Weights((0..).zip(weights).map(step).collect())
            }),
            likeness: None,
        });
        Course { name: name.into(), computed: computed.collect(), before: before.map(named) }
    }

    #[test]
    fn measures_are_those_by_hand() {
        let base = course("base", None, &[Some(&[0.5, 0.5, 0.0]), Some(&[0.5, 0.5, 0.0]), None]);
        let other = course(
            "other",
            Some(&[0.0, 0.5, 0.5]),
            &[Some(&[0.25, 0.5, 0.25]), None, Some(&[0.5, 0.0, 0.5])],
        );
        let group = Group { name: "g".into(), hotkeys: ["h0", "h2", "none"].map(String::from).into() };
        let found = measured(&base, &other, &[group]);
        let row = |at: usize| {
            let Measured { distance, turnover, gini, effective, burned, groups, .. } = &found[at];
            (*distance, *turnover, *gini, *effective, *burned, groups[0])
        };
        assert_eq!(row(0), (0.5, Some(0.25), 0.0, 2.0, 0.5, 0.5));
        // Where none came of it the weights before count on.
        assert_eq!(row(1), (0.5, Some(0.0), 0.0, 2.0, 0.5, 0.5));
        assert_eq!(row(2), (1.0, Some(0.5), 0.0, 2.0, 0.0, 1.0));
        assert_eq!(measured(&base, &base, &[])[0].turnover, None);
        let gains = gains(&base, &other);
        let change: Vec<(&str, f64)> =
            gains.iter().map(|gain| (gain.hotkey.as_str(), gain.change())).collect();
        assert_eq!(change.len(), 3);
        assert_eq!((change[0].0, change[1].0, change[2].0), ("h2", "h0", "h1"), "{change:?}");
        assert!((change[0].1 - 1.0 / 3.0).abs() < 1e-15 && (change[1].1 + 1.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn parts_of_all_challenges_that_pay_sum_to_one() {
        let scored = |ticker: &str, weight: f64, saliences: &[f64], burn: f64| {
            let mut salience = Salience { burn, ..Salience::new(saliences.len()) };
            saliences.iter().enumerate().for_each(|(i, x)| salience.set(i, *x));
            let hotkeys = (0..saliences.len()).map(|i| format!("h{i}")).collect();
            Scored { ticker: ticker.into(), weight, hotkeys, salience: Some(salience), ..Scored::default() }
        };
        let mut course = course("a", None, &[Some(&[1.0])]);
        course.computed[0].scored = vec![
            scored("A", 3.0, &[1.0, 0.0, 3.0], 0.0),
            scored("B", 1.0, &[1.0], 1.0),
            scored("NONE", 9.0, &[0.0], 0.0),
            scored("SHADOW", 0.0, &[5.0], 0.0),
        ];
        let parts = parts(&course.computed[0]);
        let of = |ticker: &str, hotkey: &str| {
            parts
                .iter()
                .find(|part| part.ticker == ticker && part.hotkey == hotkey)
                .map(|part| (part.share, part.total))
        };
        assert_eq!(of("A", "h2"), Some((0.75, 0.5625)));
        assert_eq!((of("A", "h1"), of("NONE", "h0")), (None, None));
        assert_eq!(of("B", "__burn__"), Some((0.5, 0.125)));
        assert_eq!(of("SHADOW", "h0"), Some((1.0, 0.0)));
        assert_eq!(parts.iter().map(|part| part.total).sum::<f64>(), 1.0);
    }
}
