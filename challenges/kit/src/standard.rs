//! Numbers on one scale, whatever the scale they were sent in.
//!
//! A penalty on coefficients is a penalty on small numbers: who sends a tenth of what another sends needs ten times the
//! coefficient. Where the coefficient is what is paid, numbers are to be of one scale first.

use crate::math;
use serde::{Deserialize, Serialize};

/// Deviations up to this part of the largest number are rounding: such a column does not vary.
const MIN_DEVIATION: f64 = 1e-9;

/// What brings numbers to one scale: what [`z_scores`] does to those that it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZScale {
    largest: f64,
    mean: f64,
    /// 0 if the numbers do not vary.
    deviation: f64,
}

impl ZScale {
    /// Of the finite ones of some numbers.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let largest = finite.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        // Divided first, so that no sum can overflow.
        let unit: Vec<f64> = finite.iter().map(|x| x / largest).collect();
        let mean = math::sum(&unit) / unit.len() as f64;
        let around: Vec<f64> = unit.iter().map(|x| x - mean).collect();
        let deviation = (math::dot(&around, &around) / around.len() as f64).sqrt();
        if deviation > MIN_DEVIATION {
            return Self { largest, mean, deviation };
        }
        Self { largest: 1.0, mean: 0.0, deviation: 0.0 }
    }

    /// A number on the scale; 0 for what is not finite, and for all if the numbers do not vary.
    #[must_use]
    pub fn apply(&self, x: f64) -> f64 {
        if self.deviation > 0.0 && x.is_finite() {
            (x / self.largest - self.mean) / self.deviation
        } else {
            0.0
        }
    }
}

/// Takes the mean off and divides by the population deviation, both over the finite numbers; what is not finite (the miner
/// was absent) becomes 0. All become 0 where the finite ones do not vary. Gives the scale.
pub fn z_scores(values: &mut [f64]) -> ZScale {
    let scale = ZScale::of(values);
    values.iter_mut().for_each(|x| *x = scale.apply(*x));
    scale
}

/// Divides by the root of the mean square over all rows, and gives that root; rows of 0 (the miner was absent) count, so
/// that being there in few rows makes no coefficient large. Nothing changes, and 0 is given, where all are 0.
pub fn unit_scale(values: &mut [f64]) -> f64 {
    let scale = (math::dot(values, values) / values.len().max(1) as f64).sqrt();
    if scale > 0.0 && scale.is_finite() {
        values.iter_mut().for_each(|x| *x /= scale);
        return scale;
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_absent_or_does_not_vary_is_zero() {
        let mut one = [f64::NAN, 4.0, 2.0, f64::INFINITY];
        z_scores(&mut one);
        assert_eq!(one, [0.0, 1.0, -1.0, 0.0]);
        for mut flat in [vec![], vec![f64::NAN], vec![0.0; 3], vec![0.1; 7], vec![f64::NAN, 5.0]] {
            z_scores(&mut flat);
            assert!(flat.iter().all(|&x| x == 0.0), "{flat:?}");
        }
        assert_eq!((unit_scale(&mut []), unit_scale(&mut [0.0; 3])), (0.0, 0.0));
    }

    #[test]
    fn rare_numbers_keep_a_small_scale() {
        let mut rare = [0.0, 0.0, 0.0, 2.0];
        assert_eq!((unit_scale(&mut rare), rare), (1.0, [0.0, 0.0, 0.0, 2.0]));
    }

    proptest! {
        #[test]
        fn scale_and_offset_do_not_matter(
            x in prop::collection::vec(-1.0..1.0_f64, 2..60),
            scale in 1e-3..1e3_f64,
            offset in -1.0..1.0_f64,
        ) {
            prop_assume!(x.iter().any(|v| (v - x[0]).abs() > 1e-3));
            let (mut plain, mut moved) = (x.clone(), x.iter().map(|v| scale * (v + offset)).collect::<Vec<_>>());
            z_scores(&mut plain);
            z_scores(&mut moved);
            for (a, b) in plain.iter().zip(&moved) {
                prop_assert!((a - b).abs() < 1e-6, "{} {}", a, b);
            }
            prop_assert!((math::dot(&plain, &plain) / x.len() as f64 - 1.0).abs() < 1e-12);
        }
    }
}
