//! Many challenges, one salience per hotkey.

use std::collections::BTreeMap;

/// The name that what nobody earns has where it stands among hotkeys: in documents and in the ledger, as on the network.
pub const BURN: &str = "__burn__";

/// Who gets how much: of a challenge, or of all together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares {
    /// By hotkey: finite, not negative.
    pub miners: BTreeMap<String, f64>,
    /// What nobody earns.
    pub burn: f64,
}

impl Shares {
    /// All of it.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.miners.values().sum::<f64>() + self.burn
    }

    /// Takes in what a table says: the share of a hotkey, or under [`BURN`] what nobody earns.
    pub fn insert(&mut self, name: String, share: f64) {
        if name == BURN {
            self.burn = share;
        } else {
            self.miners.insert(name, share);
        }
    }

    /// What a table is told: the shares above zero, what nobody earns under [`BURN`].
    pub fn named(&self) -> impl Iterator<Item = (&str, f64)> {
        let miners = self.miners.iter().map(|(hotkey, share)| (hotkey.as_str(), *share));
        miners.chain([(BURN, self.burn)]).filter(|(_, share)| *share > 0.0)
    }
}

/// Saliences of all challenges by weight: `sum_c w_c s_c / sum_c w_c`, where each `s_c` is scaled to sum 1 first, and
/// only challenges with a salience (a sum above zero) and a weight count. What nobody earns is treated like one more
/// hotkey. The result sums to 1, or is empty where no challenge pays anybody and none burns.
///
/// `challenges` are weight and salience per hotkey.
#[must_use]
pub fn aggregate(challenges: &[(f64, Shares)]) -> Shares {
    let mut total = Shares::default();
    for (weight, shares) in challenges {
        let sum = shares.sum();
        if sum > 0.0 && *weight > 0.0 {
            for (hotkey, salience) in &shares.miners {
                *total.miners.entry(hotkey.clone()).or_default() += weight * (salience / sum);
            }
            total.burn += weight * (shares.burn / sum);
        }
    }
    let sum = total.sum();
    if sum <= 0.0 {
        return Shares::default();
    }
    // Dividing by the sum of weights first would change nothing: the result is scaled to sum 1 in any case.
    total.miners.values_mut().for_each(|salience| *salience /= sum);
    total.burn /= sum;
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(weight: f64, salience: &[(&str, f64)], burn: f64) -> (f64, Shares) {
        let miners = salience.iter().map(|(hotkey, s)| (hotkey.to_string(), *s)).collect();
        (weight, Shares { miners, burn })
    }

    #[test]
    fn each_challenge_counts_by_its_weight_whatever_its_scale() {
        let total = aggregate(&[
            challenge(1.0, &[("a", 30.0), ("b", 10.0)], 0.0),
            challenge(3.0, &[("b", 0.5), ("c", 0.0)], 0.0),
        ]);
        assert_eq!(total.miners["a"], 0.1875);
        assert_eq!(total.miners["b"], 0.8125);
        assert_eq!((total.miners["c"], total.burn), (0.0, 0.0));
    }

    #[test]
    fn challenges_without_a_salience_do_not_count() {
        let total = aggregate(&[
            challenge(1.0, &[("a", 1.0)], 0.0),
            challenge(9.0, &[("b", 0.0)], 0.0),
            challenge(5.0, &[], 0.0),
        ]);
        assert_eq!(total.miners["a"], 1.0);
        assert_eq!(total.miners.len(), 1);
        assert!(aggregate(&[challenge(0.0, &[("a", 1.0)], 0.0)]).miners.is_empty());
    }

    #[test]
    fn what_nobody_earns_counts_like_one_more_hotkey() {
        let total = aggregate(&[challenge(3.0, &[("a", 1.0)], 1.0), challenge(1.0, &[("b", 0.0)], 7.0)]);
        assert_eq!((total.miners["a"], total.miners["b"], total.burn), (0.375, 0.0, 0.625));
    }
}
