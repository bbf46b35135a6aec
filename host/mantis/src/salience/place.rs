//! Where a column stands among the others.

use mantis_plugin_api::WhyZero;
use mantis_weights::Scored;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where a column stands in one challenge at one block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Newest block that was scored.
    pub max_block: i64,
    /// Its part of what the challenge pays, 0 to 1.
    pub salience: f64,
    /// How many of a hundred other miners earn less, 0 to 100.
    pub percentile: f64,
    /// 1 and the number of those who earn more; `None` if it earns nothing.
    pub rank: Option<usize>,
    /// Miners with a column, it among them.
    pub of: usize,
    /// What the best of the others has.
    pub best: f64,
    /// What the middle one has of the others that earn anything.
    pub median_paid: f64,
    /// How many others earn anything.
    pub paid: usize,
    /// What of the challenge nobody earns.
    pub burned: f64,
    /// Why it earns nothing, if so: the plugin's own words.
    pub why_zero: Option<WhyZero>,
    /// The plugin's numbers about it. One that is the column of another miner is shown by that miner's name in `miners`.
    pub facts: BTreeMap<String, f64>,
    /// Facts that name other miners: hotkeys by fact.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub miners: BTreeMap<String, String>,
    /// How it stands to the marks.
    pub marks: Marks,
    /// How long scoring took, s.
    pub seconds: f64,
}

/// What the network's model iteration tool asks of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Marks {
    /// Whether nine of ten other miners earn less.
    pub percentile_90: bool,
    /// Whether it is in the first tenth, by rank.
    pub top_10_percent: bool,
}

impl Marks {
    /// Whether both are reached.
    #[must_use]
    pub fn pass(self) -> bool {
        self.percentile_90 && self.top_10_percent
    }
}

impl Place {
    /// Where `name` stands in what a challenge gave.
    pub(super) fn new(scored: &Scored, name: &str, max_block: i64) -> Self {
        let shares = scored.shares().miners;
        let share = |hotkey: &str| shares.get(hotkey).copied().unwrap_or(0.0);
        let salience = share(name);
        let mut others: Vec<f64> =
            scored.hotkeys.iter().filter(|hotkey| *hotkey != name).map(|hotkey| share(hotkey)).collect();
        others.sort_by(f64::total_cmp);
        let (less, more) = (
            others.iter().filter(|other| **other < salience).count(),
            others.iter().filter(|other| **other > salience).count(),
        );
        let of = others.len() + 1;
        let percentile = match others.len() {
            0 if salience > 0.0 => 100.0,
            0 => 0.0,
            n => 100.0 * less as f64 / n as f64,
        };
        let rank = (salience > 0.0).then_some(1 + more);
        let paid: Vec<f64> = others.iter().copied().filter(|other| *other > 0.0).collect();
        let report = scored.report(name);
        let facts = || report.into_iter().flat_map(|report| &report.facts);
        let named = facts().filter_map(|fact| Some((fact.name.clone(), scored.miner_of(fact)?.clone())));
        Self {
            max_block,
            salience,
            percentile,
            rank,
            of,
            best: others.last().copied().unwrap_or(0.0),
            median_paid: median(&paid),
            paid: paid.len(),
            burned: scored.burn_share(),
            why_zero: (salience <= 0.0).then(|| scored.why_nothing(report)),
            facts: facts().map(|fact| (fact.name.clone(), fact.value)).collect(),
            miners: named.collect(),
            marks: Marks {
                percentile_90: salience > 0.0 && percentile >= 90.0,
                top_10_percent: rank.is_some_and(|rank| rank <= of.div_ceil(10)),
            },
            seconds: scored.seconds,
        }
    }
}

/// The middle one of sorted numbers, or what lies between the two in the middle; 0 of none.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => 0.0,
        Some(upper) if sorted.len() % 2 == 1 => *upper,
        Some(upper) => (sorted[middle - 1] + upper) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::Salience;

    fn scored(saliences: &[f64], burn: f64) -> Scored {
        let mut salience = Salience { burn, ..Salience::new(saliences.len()) };
        saliences.iter().enumerate().for_each(|(m, value)| salience.set(m, *value));
        salience.note(0, "clone_with_miner", 2.0);
        let hotkeys = (0..saliences.len()).map(|m| format!("h{m}")).collect();
        Scored { ticker: "T".into(), hotkeys, salience: Some(salience), ..Scored::default() }
    }

    #[test]
    fn those_who_earn_less_count() {
        let place = Place::new(&scored(&[2.0, 4.0, 2.0, 0.0, 0.0, 1.0], 1.0), "h0", 77);
        assert_eq!((place.salience, place.rank, place.of, place.percentile), (0.2, Some(2), 6, 60.0));
        assert_eq!((place.best, place.median_paid, place.paid, place.burned), (0.4, 0.2, 3, 0.1));
        assert_eq!((place.why_zero, &*place.miners["clone_with_miner"], place.max_block), (None, "h2", 77));
        assert!(!place.marks.percentile_90 && !place.marks.top_10_percent);
    }

    #[test]
    fn marks_are_of_the_best_tenth_that_earns() {
        let of_twenty = |better: usize| {
            let mut saliences = vec![5.0; 20];
            saliences.iter_mut().skip(1).take(better).for_each(|x| *x = 9.0);
            saliences.iter_mut().skip(1 + better).for_each(|x| *x = 1.0);
            Place::new(&scored(&saliences, 0.0), "h0", 0).marks
        };
        assert!(of_twenty(1).pass());
        assert_eq!(of_twenty(2), Marks { percentile_90: false, top_10_percent: false });
        // One who earns nothing has no place, among however few.
        let zero = Place::new(&scored(&[0.0, 0.0], 0.0), "h0", 0);
        assert_eq!((zero.rank, zero.percentile, zero.marks.pass()), (None, 0.0, false));
        assert_eq!(zero.why_zero.unwrap().code, "unknown");
        let alone = Place::new(&scored(&[3.0, 0.0], 0.0), "h0", 0);
        assert!(alone.marks.pass() && alone.percentile == 100.0);
    }

    #[test]
    fn one_without_a_column_earns_nothing() {
        let place = Place::new(&scored(&[3.0, 1.0], 0.0), "h9", 0);
        assert_eq!((place.of, place.salience, place.rank), (3, 0.0, None));
        assert_eq!(place.why_zero.unwrap().code, "absent");
    }

    #[test]
    fn the_middle_one() {
        assert_eq!(
            (median(&[]), median(&[2.0]), median(&[1.0, 2.0]), median(&[1.0, 5.0, 9.0])),
            (0.0, 2.0, 1.5, 5.0)
        );
    }
}
