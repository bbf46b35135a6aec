//! What is said of weights as a whole: how far apart two are, how much they move, in how few hands they are.
//!
//! All sums run in the order of the hotkeys, so that they have the same bits everywhere.

use std::collections::BTreeMap;

/// Weights by hotkey, not negative.
pub type Weights = BTreeMap<String, f64>;

/// The sum of all differences, without their signs: 0 for the same weights, 2 where two that sum to 1 have no hotkey in common.
/// A hotkey that one of them lacks has 0 there.
#[must_use]
pub fn distance(a: &Weights, b: &Weights) -> f64 {
    let of_a = a.iter().map(|(hotkey, weight)| (weight - b.get(hotkey).copied().unwrap_or(0.0)).abs());
    let only_b = b.iter().filter(|(hotkey, _)| !a.contains_key(*hotkey)).map(|(_, weight)| weight.abs());
    of_a.chain(only_b).sum()
}

/// The part of all weight that has changed hands from one to the next, 0 to 1: half of their [`distance`].
#[must_use]
pub fn turnover(before: &Weights, after: &Weights) -> f64 {
    distance(before, after) / 2.0
}

/// Gini's coefficient: 0 where all have the same, near 1 where one has all. Those with nothing count. 0 where nobody has
/// anything. With the values in rising order it is `sum_i (2 i - n - 1) x_i / (n sum x)`, i from 1.
#[must_use]
pub fn gini(weights: &[f64]) -> f64 {
    let mut sorted = weights.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (n, sum) = (sorted.len() as f64, sorted.iter().sum::<f64>());
    if sum <= 0.0 {
        return 0.0;
    }
    let ranked: f64 = sorted.iter().enumerate().map(|(i, x)| (2.0 * (i as f64 + 1.0) - n - 1.0) * x).sum();
    ranked / (n * sum)
}

/// How many miners with equal weights would be as concentrated: `(sum w)^2 / sum w^2`, which is `1 / sum w^2` of weights that
/// sum to 1. 0 where nobody has anything.
#[must_use]
pub fn effective_number(weights: &[f64]) -> f64 {
    let (sum, squares) = (weights.iter().sum::<f64>(), weights.iter().map(|x| x * x).sum::<f64>());
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(pairs: &[(&str, f64)]) -> Weights {
        pairs.iter().map(|(hotkey, weight)| ((*hotkey).to_owned(), *weight)).collect()
    }

    #[test]
    fn distance_counts_each_hotkey_once() {
        let (a, b) = (weights(&[("x", 0.5), ("y", 0.5)]), weights(&[("y", 0.25), ("z", 0.75)]));
        assert_eq!((distance(&a, &b), distance(&b, &a), distance(&a, &a)), (1.5, 1.5, 0.0));
        assert_eq!(distance(&weights(&[("x", 1.0)]), &weights(&[("z", 1.0)])), 2.0);
        assert_eq!(turnover(&a, &b), 0.75);
        assert_eq!(turnover(&weights(&[]), &weights(&[])), 0.0);
    }

    #[test]
    fn gini_is_that_of_values_by_hand() {
        assert_eq!((gini(&[1.0, 1.0, 1.0, 1.0]), gini(&[]), gini(&[0.0, 0.0])), (0.0, 0.0, 0.0));
        // One of four has all: 1 - 1/n.
        assert_eq!(gini(&[0.0, 8.0, 0.0, 0.0]), 0.75);
        // Of 1, 2, 3: the mean difference of all pairs is 8/9, twice the mean 4.
        assert!((gini(&[3.0, 1.0, 2.0]) - 2.0 / 9.0).abs() < 1e-15);
        assert_eq!(gini(&[0.1, 0.3]).to_bits(), gini(&[0.3, 0.1]).to_bits());
    }

    #[test]
    fn the_effective_number_is_that_of_equal_ones() {
        assert_eq!((effective_number(&[0.25; 4]), effective_number(&[5.0; 4])), (4.0, 4.0));
        assert_eq!(
            (effective_number(&[1.0, 0.0]), effective_number(&[0.0]), effective_number(&[])),
            (1.0, 0.0, 0.0)
        );
        assert!((effective_number(&[0.5, 0.25, 0.25]) - 8.0 / 3.0).abs() < 1e-15);
    }
}
