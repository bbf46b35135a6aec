//! Many challenges, one salience per hotkey.

use std::collections::BTreeMap;

/// Saliences of all challenges by weight: `sum_c w_c s_c / sum_c w_c`, where each `s_c` is scaled to sum 1 first, and
/// only challenges with a salience (a sum above zero) and a weight count. The result sums to 1, or is empty where no
/// challenge pays anybody.
///
/// `challenges` are ticker, weight and salience per hotkey; saliences are finite and not negative.
#[must_use]
pub fn aggregate(challenges: &[(String, f64, BTreeMap<String, f64>)]) -> BTreeMap<String, f64> {
    let mut total: BTreeMap<String, f64> = BTreeMap::new();
    for (_, weight, salience) in challenges {
        let sum: f64 = salience.values().sum();
        if sum > 0.0 && *weight > 0.0 {
            for (hotkey, salience) in salience {
                *total.entry(hotkey.clone()).or_default() += weight * (salience / sum);
            }
        }
    }
    let sum: f64 = total.values().sum();
    if sum <= 0.0 {
        return BTreeMap::new();
    }
    // Dividing by the sum of weights first would change nothing: the result is scaled to sum 1 in any case.
    total.values_mut().for_each(|salience| *salience /= sum);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(weight: f64, salience: &[(&str, f64)]) -> (String, f64, BTreeMap<String, f64>) {
        ("T".into(), weight, salience.iter().map(|(hotkey, s)| (hotkey.to_string(), *s)).collect())
    }

    #[test]
    fn each_challenge_counts_by_its_weight_whatever_its_scale() {
        let total = aggregate(&[
            challenge(1.0, &[("a", 30.0), ("b", 10.0)]),
            challenge(3.0, &[("b", 0.5), ("c", 0.0)]),
        ]);
        assert_eq!(total["a"], 0.1875);
        assert_eq!(total["b"], 0.8125);
        assert_eq!(total["c"], 0.0);
    }

    #[test]
    fn challenges_without_a_salience_do_not_count() {
        let total =
            aggregate(&[challenge(1.0, &[("a", 1.0)]), challenge(9.0, &[("b", 0.0)]), challenge(5.0, &[])]);
        assert_eq!(total["a"], 1.0);
        assert_eq!(total.len(), 1);
        assert!(aggregate(&[challenge(0.0, &[("a", 1.0)])]).is_empty());
    }
}
