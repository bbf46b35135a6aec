//! Weightings that are drawn around those of a configuration.

use mantis_config::{Config, Weight};
use mantis_kit::math::exp;
use mantis_validator::replay::Weighting;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// So many weightings: each weight times `exp(spread z)`, z from the standard normal distribution. A weight of 0 stays; a share is
/// drawn as the weight that it comes to. The same seed gives the same weightings.
#[must_use]
pub fn draw(config: &Config, count: u32, seed: u64, spread: f64) -> Vec<Weighting> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let weights = config.weights();
    let mut one = |number: u32| {
        let drawn = weights.iter().map(|(ticker, weight)| {
            let z: f64 = StandardNormal.sample(&mut rng);
            (ticker.clone(), Weight::Fixed((weight * exp(spread * z)).min(LARGEST)))
        });
        Weighting { name: format!("draw {number}"), weights: drawn.collect() }
    };
    (1..=count).map(&mut one).collect()
}

/// The largest weight that a challenge may have.
const LARGEST: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn draws_lie_around_the_weights_and_come_again_with_their_seed() {
        let challenge = |ticker: &str, counts: &str| {
            format!("[[challenge]]\nname=\"{ticker}\"\nticker=\"{ticker}\"\nplugin=\"p\"\ndim=2\n{counts}\n")
        };
        let text = challenge("A", "weight=3") + &challenge("B", "share=0.25") + &challenge("C", "weight=0");
        let config = Config::parse(&text, Path::new("a.toml")).unwrap();
        let drawn = draw(&config, 1000, 7, 0.5);
        assert_eq!(drawn, draw(&config, 1000, 7, 0.5));
        assert_ne!(drawn, draw(&config, 1000, 8, 0.5));
        let of = |ticker: &str| -> Vec<f64> {
            let weight = |one: &Weighting| match one.weights[ticker] {
                Weight::Fixed(weight) => weight,
                Weight::Share(_) => f64::NAN,
            };
            let mut all: Vec<f64> = drawn.iter().map(weight).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        // Medians are the weights, and a factor of e^0.5 either way holds two thirds.
        for (ticker, weight) in [("A", 3.0), ("B", 1.0)] {
            let all = of(ticker);
            assert!((all[500] / weight - 1.0).abs() < 0.1, "{ticker}: {}", all[500]);
            let near = all.iter().filter(|x| (weight / 1.6487..weight * 1.6487).contains(*x)).count();
            assert!((620..750).contains(&near), "{ticker}: {near}");
        }
        assert_eq!(of("C"), vec![0.0; 1000]);
        assert!(draw(&config, 3, 1, 0.0).iter().all(|one| one.weights["A"] == Weight::Fixed(3.0)));
    }
}
