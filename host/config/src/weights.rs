//! From weights and shares to numbers.

use crate::{Challenge, Config, Weight};
use std::collections::BTreeMap;

impl Config {
    /// Ticker and weight of every challenge, in the order of the file.
    ///
    /// Fixed weights stay as they are. With F their sum and s the shares, the total is F / (1 - sum s), and a share's
    /// weight is s times that: it keeps its part of the total when another weight changes.
    #[must_use]
    pub fn weights(&self) -> Vec<(String, f64)> {
        let weights: Vec<_> = self.challenges.iter().map(|c| c.weight).collect();
        self.challenges.iter().map(|c| c.ticker.clone()).zip(resolve(&weights)).collect()
    }
}

impl Config {
    /// [`Config::weights`] as they would be with other weights or shares for some challenges, by ticker. `None` if the
    /// fixed weights would all be 0, or the shares sum to 1 or more: no file may say that.
    #[must_use]
    pub fn weights_with(&self, other: &BTreeMap<String, Weight>) -> Option<Vec<(String, f64)>> {
        let weight = |c: &Challenge| other.get(&c.ticker).copied().unwrap_or(c.weight);
        let weights: Vec<_> = self.challenges.iter().map(weight).collect();
        let (fixed, shares) = sums(&weights);
        let tickers = self.challenges.iter().map(|c| c.ticker.clone());
        (fixed > 0.0 && shares < 1.0).then(|| tickers.zip(resolve(&weights)).collect())
    }
}

/// Sum of the fixed weights and sum of the shares.
pub(crate) fn sums(weights: &[Weight]) -> (f64, f64) {
    weights.iter().fold((0.0, 0.0), |(fixed, shares), weight| match weight {
        Weight::Fixed(w) => (fixed + w, shares),
        Weight::Share(s) => (fixed, shares + s),
    })
}

/// The weights as numbers; needs fixed weights above 0 in sum and shares below 1, which loading sees to.
fn resolve(weights: &[Weight]) -> Vec<f64> {
    let (fixed, shares) = sums(weights);
    let total = fixed / (1.0 - shares);
    let number = |weight: &Weight| match weight {
        Weight::Fixed(w) => *w,
        Weight::Share(s) => s * total,
    };
    weights.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_is_taken_of_the_total() {
        let weights = resolve(&[Weight::Fixed(25.875), Weight::Share(0.15)]);
        assert!((weights[1] - 4.566_176_470_588_235).abs() < 1e-14, "{weights:?}");
    }

    #[test]
    fn a_share_holds_when_another_weight_is_tried() {
        let challenge = |ticker: &str, counts: &str| {
            format!(
                "[[challenge]]\nname=\"{ticker}\"\nticker=\"{ticker}\"\nplugin=\"binary\"\nprice_key=\"{ticker}\"\n\
                 dim=2\nblocks_ahead=300\n{counts}\n"
            )
        };
        let text = challenge("A", "weight=17") + &challenge("B", "share=0.15");
        let config = Config::parse(&text, std::path::Path::new("a.toml")).unwrap();
        let part = |other: &[(&str, Weight)]| {
            let other = other.iter().map(|(ticker, weight)| (ticker.to_string(), *weight)).collect();
            let weights = config.weights_with(&other)?;
            Some(weights[1].1 / (weights[0].1 + weights[1].1))
        };
        assert!((part(&[]).unwrap() - 0.15).abs() < 1e-15);
        assert!((part(&[("A", Weight::Fixed(999.0))]).unwrap() - 0.15).abs() < 1e-15);
        assert!((part(&[("B", Weight::Share(0.5))]).unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(part(&[("B", Weight::Fixed(17.0))]), Some(0.5));
        assert_eq!(part(&[("A", Weight::Fixed(0.0))]), None);
        assert_eq!(part(&[("B", Weight::Share(1.0))]), None);
    }

    #[test]
    fn without_shares_nothing_changes() {
        assert_eq!(resolve(&[Weight::Fixed(1.0), Weight::Fixed(0.0), Weight::Fixed(2.5)]), [1.0, 0.0, 2.5]);
    }

    proptest! {
        #[test]
        fn shares_hold_in_the_resulting_weights(
            fixed in prop::collection::vec(1e-6..1e6_f64, 1..12),
            raw in prop::collection::vec(0.01..1.0_f64, 0..6),
            part in 0.01..0.99_f64,
            turn in any::<prop::sample::Index>(),
        ) {
            // Shares of any size that sum to `part`, mixed among the fixed weights.
            let scale = part / raw.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            let mut weights: Vec<_> = fixed.iter().map(|&w| Weight::Fixed(w)).collect();
            weights.extend(raw.iter().map(|&s| Weight::Share(s * scale)));
            let turn = turn.index(weights.len());
            weights.rotate_left(turn);
            let numbers = resolve(&weights);
            let total: f64 = numbers.iter().sum();
            for (weight, number) in weights.iter().zip(&numbers) {
                match weight {
                    Weight::Fixed(w) => prop_assert_eq!(w, number),
                    Weight::Share(s) => prop_assert!((number / total - s).abs() < 1e-12, "{s} {number} {total}"),
                }
            }
        }
    }
}
