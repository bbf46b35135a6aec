//! Many weightings of the challenges over one course: only joining and settling is computed again.

use super::course::{Computed, Course};
use mantis_config::Weight;
use mantis_scoring::fan_out;
use mantis_weights::{Joined, SettleRules, Settlement, spread};
use std::collections::{BTreeMap, BTreeSet};

/// What challenges count for, where that is not what the configuration says.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighting {
    /// What people call it.
    pub name: String,
    /// By ticker; a challenge that is not named keeps its weight, or its share.
    pub weights: BTreeMap<String, Weight>,
}

/// What a weighting comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Swept {
    /// Its name.
    pub name: String,
    /// The sum of all differences to the course's weights, 0 to 2: the mean over all blocks.
    pub distance: f64,
    /// The same at the last block.
    pub last: f64,
    /// Blocks at which no weights would come of it.
    pub rejected: usize,
    /// Hotkeys that gain most, with the mean of what they gain; most first.
    pub gains: Vec<(String, f64)>,
    /// Hotkeys that lose most, with the mean of what they lose, below 0; most first.
    pub losses: Vec<(String, f64)>,
}

/// How many hotkeys are named that gain, and that lose.
const NAMED: usize = 3;
/// Weightings that are done in one go.
const GO: usize = 16;

/// Computes a course by every weighting, as [`Replay`](super::Replay) would by a configuration with these weights, to the same
/// bits. A computation that no weights came of keeps those before it. `None` for a weighting that no configuration may have:
/// weights that are all 0, or shares that sum to 1 or more.
#[must_use]
pub fn sweep(course: &Course, weightings: &[Weighting], threads: usize) -> Vec<Option<Swept>> {
    let prepared = Prepared::new(course);
    let goes: Vec<&[Weighting]> = weightings.chunks(GO).collect();
    let swept = fan_out(threads, &goes, |go| go.iter().map(|one| prepared.sweep(one)).collect::<Vec<_>>());
    swept.into_iter().flatten().collect()
}

/// A course, taken apart once for all weightings.
struct Prepared<'a> {
    /// All hotkeys of all blocks, in byte order.
    hotkeys: Vec<&'a str>,
    steps: Vec<Step<'a>>,
    /// The weights that the first computation goes on from, by place.
    before: Option<Vec<f64>>,
    /// The course's own weights that count from each block on, by place.
    base: Vec<Vec<f64>>,
}

/// A computation that weights came of.
struct Step<'a> {
    computed: &'a Computed,
    joined: Joined,
    settlements: &'a [Settlement],
    /// Of each settlement: the place of its hotkey among all.
    places: Vec<usize>,
    /// The same among those of the challenges; `None` for one that is in none.
    joined_places: Vec<Option<usize>>,
    rules: SettleRules,
}

impl<'a> Prepared<'a> {
    fn new(course: &'a Course) -> Self {
        let settled = || course.computed.iter().flat_map(|computed| computed.outcome.settlements());
        let before = course.before.iter().flat_map(BTreeMap::keys).map(String::as_str);
        let hotkeys: BTreeSet<&str> = settled().map(|step| step.hotkey.as_str()).chain(before).collect();
        let hotkeys: Vec<&str> = hotkeys.into_iter().collect();
        let placed = |weights: &BTreeMap<String, f64>| -> Vec<f64> {
            hotkeys.iter().map(|hotkey| weights.get(*hotkey).copied().unwrap_or(0.0)).collect()
        };
        let base = course.in_force().iter().map(placed).collect();
        let before = course.before.as_ref().map(placed);
        let steps = course.computed.iter().map(|computed| Step::new(computed, &hotkeys)).collect();
        Self { steps, before, base, hotkeys }
    }

    fn sweep(&self, weighting: &Weighting) -> Option<Swept> {
        let blocks = self.steps.len().max(1) as f64;
        let mut last = self.before.clone();
        let (mut total, mut newest, mut rejected) = (0.0, 0.0, 0);
        let mut changes = vec![0.0; self.hotkeys.len()];
        for (step, base) in self.steps.iter().zip(&self.base) {
            match step.settle(weighting, last.as_deref(), self.hotkeys.len())? {
                Some(weights) => last = Some(weights),
                None => rejected += 1,
            }
            newest = 0.0;
            for (place, before) in base.iter().enumerate() {
                let now = last.as_ref().and_then(|weights| weights.get(place)).copied().unwrap_or(0.0);
                newest += (now - before).abs();
                changes[place] += now - before;
            }
            total += newest;
        }
        let mut order: Vec<(&str, f64)> =
            self.hotkeys.iter().copied().zip(changes.iter().map(|change| change / blocks)).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let named = |(hotkey, change): &(&str, f64)| ((*hotkey).to_owned(), *change);
        let (gains, losses) = (order.iter(), order.iter().rev());
        Some(Swept {
            name: weighting.name.clone(),
            distance: total / blocks,
            last: newest,
            rejected,
            gains: gains.take_while(|(_, change)| *change > 0.0).take(NAMED).map(named).collect(),
            losses: losses.take_while(|(_, change)| *change < 0.0).take(NAMED).map(named).collect(),
        })
    }
}

impl<'a> Step<'a> {
    fn new(computed: &'a Computed, hotkeys: &[&str]) -> Self {
        let shares: Vec<_> = computed.scored.iter().map(mantis_weights::Scored::shares).collect();
        let joined = Joined::new(&shares);
        let settlements = computed.outcome.settlements();
        let place = |step: &Settlement| hotkeys.binary_search(&step.hotkey.as_str()).unwrap_or_default();
        let joined_place = |step: &Settlement| joined.hotkeys().binary_search(&step.hotkey).ok();
        Self {
            places: settlements.iter().map(place).collect(),
            joined_places: settlements.iter().map(joined_place).collect(),
            rules: SettleRules::from(&computed.config.network),
            computed,
            joined,
            settlements,
        }
    }

    /// The weights by place among `count` hotkeys; `None` within where none come of it.
    fn settle(&self, weighting: &Weighting, last: Option<&[f64]>, count: usize) -> Option<Option<Vec<f64>>> {
        let weights: BTreeMap<String, f64> =
            self.computed.config.weights_with(&weighting.weights)?.into_iter().collect();
        if self.settlements.is_empty() {
            return Some(None);
        }
        let of = |scored: &mantis_weights::Scored| weights.get(&scored.ticker).copied().unwrap_or(0.0);
        let weights: Vec<f64> = self.computed.scored.iter().map(of).collect();
        let (total, burn) = self.joined.total(&weights);
        let mut steps = self.settlements.to_vec();
        for ((step, place), joined) in steps.iter_mut().zip(&self.places).zip(&self.joined_places) {
            let unearned = if step.uid == self.rules.burn_uid { burn } else { 0.0 };
            step.salience = joined.and_then(|joined| total.get(joined)).copied().unwrap_or(0.0) + unearned;
            step.previous = last.map(|last| last.get(*place).copied().unwrap_or(0.0));
        }
        let mut registered = self.joined_places.iter().flatten();
        if burn <= 0.0 && !registered.any(|place| self.joined.is_known(&weights, *place)) {
            return Some(None);
        }
        if spread(&mut steps, &self.rules).is_some() {
            return Some(None);
        }
        let mut placed = vec![0.0; count];
        steps.iter().zip(&self.places).for_each(|(step, place)| placed[*place] = step.weight);
        Some(Some(placed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::{Block, Config};
    use mantis_plugin_api::Salience;
    use mantis_weights::{Input, Neuron, Scored, Scores, settle};
    use std::path::Path;
    use std::sync::Arc;

    /// Three challenges, the last one with a share, for the two that are given.
    fn config(a: f64, b: f64) -> Arc<Config> {
        let challenge = |ticker: &str, counts: &str| {
            format!("[[challenge]]\nname=\"{ticker}\"\nticker=\"{ticker}\"\nplugin=\"p\"\ndim=2\n{counts}\n")
        };
        let text = challenge("A", &format!("weight={a:?}"))
            + &challenge("B", &format!("weight={b:?}"))
            + &challenge("C", "share=0.25");
        Arc::new(Config::parse(&text, Path::new("a.toml")).unwrap())
    }

    /// Six computations in which the challenges pay eight miners, who come and go, now these and now those.
    fn course(config: &Arc<Config>, before: Option<BTreeMap<String, f64>>) -> Course {
        let rules = SettleRules::from(&config.network);
        let mut computed: Vec<Computed> = Vec::new();
        let mut previous = before.clone();
        for k in 0..6_i64 {
            let scored = config.weights().into_iter().zip(0..).map(|((ticker, weight), c): (_, i64)| {
                let mut salience = Salience::new(8);
                (0..8).for_each(|m| salience.set(m, ((m as i64 * 7 + c * 5 + k * 3) % 11) as f64));
                salience.burn = if c == 1 { 2.5 } else { 0.0 };
                let hotkeys = (0..8).map(|m| format!("h{m}")).collect();
                Scored { ticker, weight, hotkeys, salience: Some(salience), ..Scored::default() }
            });
            let scores = Scores::new(scored.collect(), 0);
            let neuron = |m: u16| Neuron { uid: m, hotkey: format!("h{}", (i64::from(m) + k) % 9) };
            let input = Input {
                salience: scores.total.clone(),
                burn: scores.burn,
                metagraph: (0..7).map(neuron).collect(),
                first_block: [("h2".to_owned(), Block(900))].into(),
                block: Block(1000 * k),
                previous: previous.clone(),
            };
            let outcome = settle(&input, &rules).unwrap();
            previous = Some(super::super::course::weights_of(outcome.settlements()));
            computed.push(Computed {
                block: Block(1000 * k),
                config: config.clone(),
                release: None,
                scored: scores.challenges,
                outcome,
                likeness: None,
            });
        }
        Course { name: "a".into(), computed, before }
    }

    fn weighting(weights: &[(&str, Weight)]) -> Weighting {
        let weights = weights.iter().map(|(ticker, weight)| ((*ticker).to_owned(), *weight)).collect();
        Weighting { name: "w".into(), weights }
    }

    #[test]
    fn a_weighting_comes_to_the_bits_of_a_configuration_with_it() {
        for before in [None, Some([("h0".to_owned(), 0.4), ("gone".to_owned(), 0.6)].into())] {
            let base = course(&config(1.0, 2.0), before.clone());
            let other = course(&config(3.0, 0.5), before);
            let asked = weighting(&[("A", Weight::Fixed(3.0)), ("B", Weight::Fixed(0.5))]);
            let prepared = Prepared::new(&base);
            let mut last = prepared.before.clone();
            for (step, expected) in prepared.steps.iter().zip(other.in_force()) {
                last = step.settle(&asked, last.as_deref(), prepared.hotkeys.len()).unwrap();
                for (hotkey, weight) in prepared.hotkeys.iter().zip(last.as_ref().unwrap()) {
                    let expected = expected.get(*hotkey).copied().unwrap_or(0.0);
                    assert_eq!(weight.to_bits(), expected.to_bits(), "{hotkey}");
                }
            }
            let swept = sweep(&base, &[weighting(&[]), asked], 2);
            let same = swept[0].as_ref().unwrap();
            assert_eq!((same.distance, same.last, same.gains.len(), same.rejected), (0.0, 0.0, 0, 0));
            let swept = swept[1].as_ref().unwrap();
            let gained = super::super::gains(&base, &other);
            assert!(
                (swept.gains[0].1 - gained[0].change()).abs() < 1e-15 && swept.gains[0].0 == gained[0].hotkey
            );
            let least = gained.last().unwrap();
            assert!((swept.losses[0].1 - least.change()).abs() < 1e-15 && swept.losses[0].0 == least.hotkey);
            let measured = super::super::measured(&base, &other, &[]);
            assert!((swept.last - measured[5].distance).abs() < 1e-14 && swept.last > 0.01);
            let mean = measured.iter().map(|one| one.distance).sum::<f64>() / 6.0;
            assert!((swept.distance - mean).abs() < 1e-14);
        }
    }

    #[test]
    fn what_no_configuration_may_say_is_none_and_what_pays_nobody_changes_nothing() {
        let base = course(&config(1.0, 2.0), None);
        let zero = weighting(&[("A", Weight::Fixed(0.0)), ("B", Weight::Fixed(0.0))]);
        let shares = weighting(&[("A", Weight::Share(0.8))]);
        assert_eq!(sweep(&base, &[zero, shares], 1), [None, None]);
        let mut unpaid = base.clone();
        for computed in &mut unpaid.computed {
            computed.scored[0].salience = None;
            computed.scored[2].salience = None;
        }
        let only = weighting(&[("A", Weight::Fixed(1.0)), ("B", Weight::Fixed(0.0))]);
        let swept = sweep(&unpaid, &[only], 1);
        let swept = swept[0].as_ref().unwrap();
        assert_eq!((swept.rejected, swept.gains.len()), (6, 0));
    }

    #[test]
    fn threads_change_nothing() {
        let base = course(&config(1.0, 2.0), None);
        let many: Vec<Weighting> =
            (0..100).map(|k| weighting(&[("A", Weight::Fixed(f64::from(k) / 10.0))])).collect();
        assert_eq!(sweep(&base, &many, 1), sweep(&base, &many, 3));
    }
}
