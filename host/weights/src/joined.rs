//! Challenges that are joined again and again by other weights: as [`aggregate`](super::aggregate), to the same bits, with
//! numbers in the place of names.

use super::aggregate::Shares;

/// What challenges pay, over a list of hotkeys that is the same for all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joined {
    /// In byte order.
    hotkeys: Vec<String>,
    challenges: Vec<Column>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Column {
    /// Places among the hotkeys, in order, each with its part of what the challenge pays.
    parts: Vec<(usize, f64)>,
    burn: f64,
    /// Whether it pays at all.
    counts: bool,
}

impl Joined {
    /// Of what each challenge pays, in their order.
    #[must_use]
    pub fn new(challenges: &[Shares]) -> Self {
        let mut hotkeys: Vec<String> =
            challenges.iter().flat_map(|shares| shares.miners.keys().cloned()).collect();
        hotkeys.sort_unstable();
        hotkeys.dedup();
        let column = |shares: &Shares| {
            let sum = shares.sum();
            if sum <= 0.0 {
                return Column::default();
            }
            let place = |(hotkey, salience): (&String, &f64)| {
                Some((hotkeys.binary_search(hotkey).ok()?, salience / sum))
            };
            let parts = shares.miners.iter().filter_map(place).collect();
            Column { parts, burn: shares.burn / sum, counts: true }
        };
        let challenges = challenges.iter().map(column).collect();
        Self { hotkeys, challenges }
    }

    /// The hotkeys, in byte order.
    #[must_use]
    pub fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    /// Whether a challenge that counts has asked about the hotkey at a place, be it to pay it nothing.
    #[must_use]
    pub fn is_known(&self, weights: &[f64], place: usize) -> bool {
        let counting =
            self.challenges.iter().zip(weights).filter(|(column, weight)| column.counts && **weight > 0.0);
        counting
            .into_iter()
            .any(|(column, _)| column.parts.binary_search_by_key(&place, |(at, _)| *at).is_ok())
    }

    /// What each hotkey has of the total when each challenge counts for its weight, and what nobody earns: they sum to 1, or
    /// to 0 where no challenge pays. `weights` are as many as challenges; one that is missing is 0.
    #[must_use]
    pub fn total(&self, weights: &[f64]) -> (Vec<f64>, f64) {
        let (mut total, mut burn) = (vec![0.0; self.hotkeys.len()], 0.0);
        for (column, weight) in self.challenges.iter().zip(weights) {
            if column.counts && *weight > 0.0 {
                column.parts.iter().for_each(|&(place, part)| total[place] += weight * part);
                burn += weight * column.burn;
            }
        }
        let sum = total.iter().sum::<f64>() + burn;
        if sum <= 0.0 {
            return (vec![0.0; self.hotkeys.len()], 0.0);
        }
        total.iter_mut().for_each(|salience| *salience /= sum);
        (total, burn / sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn joined_by_numbers_or_by_names_the_bits_are_the_same(
            challenges in prop::collection::vec(
                (
                    prop_oneof![Just(0.0), 1e-3..1e3_f64],
                    prop::collection::btree_map("[a-f]{1,2}", prop_oneof![Just(0.0), 1e-9..1e3_f64], 0..20),
                    prop_oneof![Just(0.0), 0.0..2.0_f64],
                ),
                0..6,
            ),
        ) {
            let weights: Vec<f64> = challenges.iter().map(|(weight, ..)| *weight).collect();
            let shares: Vec<Shares> =
                challenges.into_iter().map(|(_, miners, burn)| Shares { miners, burn }).collect();
            let joined = Joined::new(&shares);
            let (total, burn) = joined.total(&weights);
            let named = aggregate(&weights.iter().copied().zip(shares).collect::<Vec<_>>());
            prop_assert_eq!(burn.to_bits(), named.burn.to_bits());
            for (hotkey, found) in joined.hotkeys().iter().zip(&total) {
                let expected = named.miners.get(hotkey).copied().unwrap_or(0.0);
                prop_assert_eq!(found.to_bits(), expected.to_bits(), "{}", hotkey);
            }
            // Where nobody is paid there are no names at all.
            for (place, hotkey) in joined.hotkeys().iter().enumerate().filter(|_| !named.miners.is_empty()) {
                prop_assert_eq!(joined.is_known(&weights, place), named.miners.contains_key(hotkey));
            }
            prop_assert!(named.miners.keys().all(|hotkey| joined.hotkeys().contains(hotkey)));
        }
    }
}
