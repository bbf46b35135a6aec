//! Saliences to weights per UID, with every step on the way kept.

use super::{Input, InputError, SettleRules, Shares};
use mantis_config::Block;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What a metagraph is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Weights to set: one [`Settlement`] per UID, in their order. The weights sum to 1.
    Weights(Vec<Settlement>),
    /// Nothing to set; the last weights stay.
    Rejected(WeightsRejection),
}

/// One UID's way from salience to weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settlement {
    /// The UID.
    pub uid: u16,
    /// Its hotkey.
    pub hotkey: String,
    /// Its salience as it came in; the burn UID's with what nobody earns.
    pub salience: f64,
    /// Whether it is given the fixed weight of the young instead of its share.
    pub young: bool,
    /// Its share before the burn; all shares sum to 1.
    pub share: f64,
    /// After the burn; the burn UID has the burn on top.
    pub burned: f64,
    /// The smoothed weight of last time; `None` where there was no last time.
    pub previous: Option<f64>,
    /// After smoothing: the weight.
    pub weight: f64,
}

/// Why weights are not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsRejection {
    /// No registered hotkey has a salience, not even of zero.
    Empty,
    /// The weights sum to zero.
    ZeroSum,
    /// All positive weights are the same.
    Equal,
    /// The positive weights hardly differ.
    NearUniform,
    /// A challenge failed, and there is no earlier salience of it to stand in: a sentence.
    Failed(String),
}

impl Outcome {
    /// The settlements; none where nothing is set.
    #[must_use]
    pub fn settlements(&self) -> &[Settlement] {
        match self {
            Self::Weights(settlements) => settlements,
            Self::Rejected(_) => &[],
        }
    }
}

/// What the chain is given for each UID of a settlement.
#[must_use]
pub fn on_chain(settlements: &[Settlement]) -> BTreeMap<u16, u16> {
    to_u16(&settlements.iter().map(|settlement| (settlement.uid, settlement.weight)).collect())
        .into_iter()
        .collect()
}

impl WeightsRejection {
    /// The one that is displayed like this.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let fixed = [Self::Empty, Self::ZeroSum, Self::Equal, Self::NearUniform];
        fixed.into_iter().find(|one| one.to_string() == text).unwrap_or_else(|| Self::Failed(text.to_owned()))
    }
}

impl fmt::Display for WeightsRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::ZeroSum => "zero sum",
            Self::Equal => "all positive weights are equal",
            Self::NearUniform => "positive weights are nearly uniform",
            Self::Failed(why) => why,
        })
    }
}

/// Spreads saliences over the metagraph, in this order: what nobody earns goes to the burn UID; the young get a fixed weight and the mature share the rest by
/// salience; burn; rejection of degenerate results; smoothing per hotkey; what the retired would weigh goes to the burn UID.
///
/// # Errors
/// [`InputError`] where the input makes no sense.
pub fn settle(input: &Input, rules: &SettleRules) -> Result<Outcome, InputError> {
    input.check(rules.burn_uid)?;
    if input.burn <= 0.0 && !input.metagraph.iter().any(|neuron| input.salience.contains_key(&neuron.hotkey))
    {
        return Ok(Outcome::Rejected(WeightsRejection::Empty));
    }
    let mut settlements: Vec<Settlement> =
        input.metagraph.iter().map(|neuron| begin(input, rules, neuron)).collect();
    settlements.sort_by_key(|settlement| settlement.uid);
    Ok(spread(&mut settlements, rules).map_or(Outcome::Weights(settlements), Outcome::Rejected))
}

/// The steps of [`settle`] after its first: from salience, youth and weight of last time of each UID, which are in their order,
/// to all else. Why nothing is to be set, where that is so; what comes after the step at which it was found stays as it was.
pub fn spread(settlements: &mut [Settlement], rules: &SettleRules) -> Option<WeightsRejection> {
    let young = settlements.iter().filter(|settlement| settlement.young).count() as f64;
    let for_mature = (1.0 - rules.young_weight * young).max(0.0);
    let mature: f64 =
        settlements.iter().filter(|settlement| !settlement.young).map(|settlement| settlement.salience).sum();
    for settlement in &mut *settlements {
        settlement.share = match settlement.young {
            true => rules.young_weight,
            false if mature > 0.0 => settlement.salience / mature * for_mature,
            false => 0.0,
        };
    }
    let sum: f64 = settlements.iter().map(|settlement| settlement.share).sum();
    if sum <= 0.0 {
        return Some(WeightsRejection::ZeroSum);
    }
    for settlement in &mut *settlements {
        settlement.share /= sum;
        settlement.burned = settlement.share * (1.0 - rules.burn);
        if settlement.uid == rules.burn_uid {
            settlement.burned += rules.burn;
        }
    }
    if let Some(rejection) = degenerate(settlements, rules) {
        return Some(rejection);
    }
    let smoothed = |settlement: &Settlement| match settlement.previous {
        Some(previous) => rules.ema * settlement.burned + (1.0 - rules.ema) * previous,
        None => settlement.burned,
    };
    let sum: f64 = settlements.iter().map(smoothed).sum();
    for settlement in &mut *settlements {
        settlement.weight = smoothed(settlement) / sum;
    }
    retire(settlements, rules);
    None
}

/// Gives the burn UID what the retired would weigh.
fn retire(settlements: &mut [Settlement], rules: &SettleRules) {
    let is_retired = |settlement: &Settlement| rules.is_retired(settlement.uid, &settlement.hotkey);
    let retired = settlements.iter_mut().filter(|settlement| is_retired(settlement));
    let left: f64 = retired.map(|settlement| std::mem::take(&mut settlement.weight)).sum();
    if let Some(burn) = settlements.iter_mut().find(|settlement| settlement.uid == rules.burn_uid) {
        burn.weight += left;
    }
}

/// Settles once more what was settled, from other saliences: the same UIDs, the same young ones, the same last time.
///
/// # Errors
/// [`InputError`] where the input makes no sense.
pub fn settle_again(
    settlements: &[Settlement],
    shares: Shares,
    rules: &SettleRules,
) -> Result<Outcome, InputError> {
    let neuron = |s: &Settlement| super::Neuron { uid: s.uid, hotkey: s.hotkey.clone() };
    let young = settlements.iter().filter(|s| s.young && rules.young_blocks > 0);
    let previous: Option<BTreeMap<String, f64>> =
        settlements.iter().map(|s| Some((s.hotkey.clone(), s.previous?))).collect();
    let input = Input {
        salience: shares.miners,
        burn: shares.burn,
        metagraph: settlements.iter().map(neuron).collect(),
        first_block: young.map(|s| (s.hotkey.clone(), Block(0))).collect(),
        block: Block(0),
        previous,
    };
    settle(&input, rules)
}

fn begin(input: &Input, rules: &SettleRules, neuron: &super::Neuron) -> Settlement {
    let first = input.first_block.get(&neuron.hotkey);
    let unearned = if neuron.uid == rules.burn_uid { input.burn } else { 0.0 };
    Settlement {
        uid: neuron.uid,
        hotkey: neuron.hotkey.clone(),
        salience: input.salience.get(&neuron.hotkey).copied().unwrap_or(0.0) + unearned,
        young: first.is_some_and(|first| input.block - *first < rules.young_blocks),
        share: 0.0,
        burned: 0.0,
        previous: input.previous.as_ref().map(|all| all.get(&neuron.hotkey).copied().unwrap_or(0.0)),
        weight: 0.0,
    }
}

fn degenerate(settlements: &[Settlement], rules: &SettleRules) -> Option<WeightsRejection> {
    let positive: Vec<f64> =
        settlements.iter().map(|settlement| settlement.burned).filter(|&weight| weight > 0.0).collect();
    let n = positive.len() as f64;
    let mean = positive.iter().sum::<f64>() / n;
    if positive.is_empty() || mean <= 0.0 {
        return Some(WeightsRejection::ZeroSum);
    }
    if positive.iter().all(|weight| *weight == positive[0]) {
        return Some(WeightsRejection::Equal);
    }
    let variance = positive.iter().map(|weight| (weight - mean) * (weight - mean)).sum::<f64>() / (n - 1.0);
    (variance.sqrt() / mean < rules.min_relative_std).then_some(WeightsRejection::NearUniform)
}

/// The weights as the chain takes them: scaled so that the largest is 65535, rounded (halves to the even number, as its client does), zeros
/// left out.
#[must_use]
pub fn to_u16(weights: &BTreeMap<u16, f64>) -> Vec<(u16, u16)> {
    let largest = weights.values().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return Vec::new();
    }
    let scaled = weights
        .iter()
        .map(|(&uid, weight)| (uid, (weight / largest * f64::from(u16::MAX)).round_ties_even() as u16));
    scaled.filter(|&(_, weight)| weight > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_again_from_the_same_saliences_is_the_same() {
        let hotkeys = ["a", "b", "c", "d"].map(String::from);
        let neurons = || {
            (0_u16..).zip(&hotkeys).map(|(uid, hotkey)| super::super::Neuron { uid, hotkey: hotkey.clone() })
        };
        let salience: BTreeMap<String, f64> = hotkeys.iter().cloned().zip([0.0, 0.5, 0.2, 0.3]).collect();
        for previous in [None, Some([("a".to_owned(), 0.4), ("c".to_owned(), 0.6)].into())] {
            let input = Input {
                salience: salience.clone(),
                burn: 0.125,
                metagraph: neurons().collect(),
                first_block: [("b".to_owned(), Block(90_000)), ("c".to_owned(), Block(1000))].into(),
                block: Block(100_000),
                previous,
            };
            let rules = SettleRules::default();
            let once = settle(&input, &rules).unwrap();
            assert!(once.settlements()[1].young && !once.settlements()[2].young);
            let again = |miners| Shares { miners, burn: 0.125 };
            assert_eq!(settle_again(once.settlements(), again(salience.clone()), &rules).unwrap(), once);
            let mut other = salience.clone();
            other.insert("d".into(), 0.9);
            assert_ne!(settle_again(once.settlements(), again(other), &rules).unwrap(), once);
        }
    }

    #[test]
    fn what_the_retired_would_weigh_is_burned_and_nothing_else_changes() {
        let hotkeys = ["owner", "a", "b", "c"].map(String::from);
        let neurons =
            (0_u16..).zip(&hotkeys).map(|(uid, hotkey)| super::super::Neuron { uid, hotkey: hotkey.clone() });
        let mut input = Input {
            salience: hotkeys.iter().cloned().zip([0.0, 0.5, 0.2, 0.3]).collect(),
            burn: 0.0,
            metagraph: neurons.collect(),
            first_block: BTreeMap::new(),
            block: Block(100_000),
            previous: Some([("owner".to_owned(), 0.4), ("a".to_owned(), 0.6)].into()),
        };
        let before = settle(&input, &SettleRules::default()).unwrap();
        // The burn UID's own hotkey cannot be retired: the burn has to go somewhere.
        let retired = ["a", "owner", "nobody"].map(String::from).into();
        let rules = SettleRules { retired, ..SettleRules::default() };
        let after = settle(&input, &rules).unwrap();
        let weights =
            |outcome: &Outcome| outcome.settlements().iter().map(|step| step.weight).collect::<Vec<_>>();
        let (was, is) = (weights(&before), weights(&after));
        assert!(was[1] > 0.5 && is[1] == 0.0, "{was:?} {is:?}");
        assert_eq!((is[0], &is[2..]), (was[0] + was[1], &was[2..]));
        // At once and for good: nothing of it comes back by smoothing.
        let smoothed = after.settlements().iter().map(|step| (step.hotkey.clone(), step.weight)).collect();
        input.previous = Some(smoothed);
        assert_eq!(weights(&settle(&input, &rules).unwrap())[1], 0.0);
    }

    #[test]
    fn scales_the_largest_to_the_top() {
        let weights = BTreeMap::from([(0, 0.3), (1, 0.6), (2, 0.0), (3, 1e-9)]);
        assert_eq!(to_u16(&weights), [(0, 32768), (1, 65535)]);
        // 19,660.5 of 65,535.
        assert_eq!(to_u16(&BTreeMap::from([(0, 0.3), (1, 1.0)])), [(0, 19_660), (1, 65_535)]);
        assert!(to_u16(&BTreeMap::from([(0, 0.0)])).is_empty());
    }
}
