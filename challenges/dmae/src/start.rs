//! The parameters that every model starts with.

use crate::head::{B1, B2, Head, W2, W3};
use crate::{HIDDEN, Units};

/// The upper layers before the first step (scoring: dmae, start). The weights of miners' numbers are 0: miners that say the
/// same then stay the same, and luck decides between nobody.
pub(crate) fn head(seed: u64) -> Head {
    let mut draws = SplitMix64(seed);
    let scale = 1.0 / (HIDDEN as f64).sqrt();
    let mut units = |scale: f64| -> Units { std::array::from_fn(|_| (draws.symmetric() * scale) as f32) };
    let mut head = Head::ZERO;
    head.0[W2].fill_with(|| units(scale));
    head.0[W3] = units(0.3 * scale);
    head.0[B1] = [0.1; HIDDEN];
    head.0[B2] = [0.05; HIDDEN];
    head
}

/// Steele, Lea and Flood's generator of 2014.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number from -1 to 1.
    fn symmetric(&mut self) -> f64 {
        2.0 * ((self.next() >> 11) as f64 / (1u64 << 53) as f64) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_the_published_generator() {
        let mut draws = SplitMix64(1_234_567);
        let known = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([draws.next(), draws.next(), draws.next()], known);
    }

    #[test]
    fn weights_are_within_their_bounds_and_not_alike() {
        let head = head(42);
        let largest = |units: &[Units]| units.iter().flatten().fold(0f32, |most, x| most.max(x.abs()));
        let (w2, w3) = (largest(&head.0[W2]), largest(&head.0[W3..=W3]));
        assert!((0.17..0.176_777).contains(&w2) && (0.04..0.053_034).contains(&w3), "{w2} {w3}");
        assert_ne!(head.0[W2], super::head(43).0[W2]);
    }
}
