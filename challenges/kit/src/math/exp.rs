//! Branch-free exponential and logarithm for loops that become vector code.

use multiversion::multiversion;
use std::f64::consts::LOG2_E;

/// 1.5 * 2^52: added to a small number, it leaves the nearest integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// ln 2 in two parts; the first has so few bits that its products with an exponent are exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `(exp(r) - 1 - r) / r^2` on |r| <= ln(2)/2: interpolated at the Chebyshev nodes, relative error of exp below 2^-56.
const EXP: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_624_13,
    0.008_333_333_333_330_062,
    0.001_388_888_891_721_371_7,
    0.000_198_412_698_630_536_18,
    2.480_152_129_595_437_6e-5,
    2.755_726_845_999_706_4e-6,
    2.762_008_844_540_974_6e-7,
    2.510_038_549_551_032e-8,
];

/// `e^x`, within 1 unit in the last place. Infinities, NaN, overflow to infinity and gradual underflow as usual.
#[inline(always)]
#[must_use]
pub fn exp(x: f64) -> f64 {
    // Beyond these bounds the result is infinite or 0 anyway; NaN passes both comparisons.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };

    let (mantissa, power) = parts(x);
    // In two factors, because 2^power alone may be out of range where the result is not.
    let half = (power * 0.5 + ROUND) - ROUND;
    mantissa * two_to(half) * two_to(power - half)
}

/// [`exp`] of what is not above 0, for less: it stays at 2^-1021 where that falls below.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f64) -> f64 {
    let x = if x < -707.5 { -707.5 } else { x };
    let (mantissa, power) = parts(x);
    mantissa * two_to(power)
}

/// `e^x` as a number near 1 and a power of 2.
#[inline(always)]
fn parts(x: f64) -> (f64, f64) {
    let power = (x * LOG2_E + ROUND) - ROUND;
    let r = (x - power * LN2_HIGH) - power * LN2_LOW;
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (EXP[0] + r * EXP[1]) + r2 * (EXP[2] + r * EXP[3]);
    let middle = (EXP[4] + r * EXP[5]) + r2 * (EXP[6] + r * EXP[7]);
    let high = EXP[8] + r * EXP[9];
    (1.0 + (r + r2 * (low + r4 * (middle + r4 * high))), power)
}

/// [`exp`] of every element, in place.
// Not inlined: as a loop of its own it is vector code for few elements, too.
#[multiversion(targets("x86_64+avx2"))]
pub fn exp_slice(x: &mut [f64]) {
    for value in x {
        *value = exp(*value);
    }
}

/// `2^n` for a whole n in -1022..=1023.
#[inline(always)]
fn two_to(n: f64) -> f64 {
    f64::from_bits((n + (ROUND + 1023.0)).to_bits() << 52)
}

/// `ln(1 + t)` for t in 0..=1, within 2 units in the last place; branch-free.
///
/// The reduction is the usual one: with s = f / (2 + f), ln(1 + f) = f - s (f - R(s^2)) to the order of R.
#[inline(always)]
#[must_use]
pub fn ln_1p_unit(t: f64) -> f64 {
    // 1 + t = 2^k (1 + f) with f in -0.293..=0.4143.
    let upper = t > 0.414_213_562_373_095_05;
    let f = if upper { (t - 1.0) * 0.5 } else { t };
    let k = if upper { 1.0 } else { 0.0 };
    let s = f / (2.0 + f);
    let z = s * s;
    let z2 = z * z;
    // Coefficients of fdlibm's log: 2/3, 2/5, ... bent to the interval.
    let odd = 6.666_666_666_666_735e-1
        + z2 * (2.857_142_874_366_239e-1 + z2 * (1.818_357_216_161_805e-1 + z2 * 1.479_819_860_511_658_6e-1));
    let even = 3.999_999_999_940_942e-1 + z2 * (2.222_219_843_214_978_4e-1 + z2 * 1.531_383_769_920_937_3e-1);
    let tail = z * (odd + z * even);
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + tail) + k * LN2_LOW)) - f)
}

/// `ln(1 + e^x)` without overflow; branch-free.
#[inline(always)]
#[must_use]
pub fn softplus(x: f64) -> f64 {
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + ln_1p_unit(exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units of the last place of the reference.
    fn ulps(value: f64, reference: f64) -> f64 {
        (value - reference).abs() / (reference.next_up() - reference)
    }

    #[test]
    fn exp_is_within_an_ulp_of_libm() {
        let mut worst = (0.0, 0.0);
        for i in 0..2_000_000_u64 {
            // Low-discrepancy points, half of them near 0.
            let u = (i as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0;
            let x = if i % 2 == 0 { u * 708.0 } else { u };
            let error = ulps(exp(x), libm::exp(x));
            if error > worst.0 {
                worst = (error, x);
            }
        }
        println!("exp: worst {} ulp at {}", worst.0, worst.1);
        assert!(worst.0 <= 1.0, "{worst:?}");
    }

    #[test]
    fn exp_of_negative_is_exp_but_for_the_smallest() {
        for i in 0..70_740 {
            let x = f64::from(i) * -0.01;
            assert_eq!(exp_of_negative(x).to_bits(), exp(x).to_bits(), "{x}");
        }
        assert_eq!(exp_of_negative(-0.0), 1.0);
        assert!((0.0..1e-307).contains(&exp_of_negative(f64::NEG_INFINITY)));
        assert!(exp_of_negative(f64::NAN).is_nan());
    }

    #[test]
    fn exp_at_the_edges() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!((exp(f64::MAX), exp(f64::MIN)), (f64::INFINITY, 0.0));
        assert!(exp(f64::NAN).is_nan());
        assert_eq!((exp(709.79), exp(-745.14)), (f64::INFINITY, 0.0));
        for x in [709.78, 709.0, -708.5, -720.0, -744.0, -745.0, -745.13] {
            assert!(ulps(exp(x), libm::exp(x)) <= 1.0, "{x}: {} {}", exp(x), libm::exp(x));
        }
    }

    #[test]
    fn exp_slice_is_exp_of_each() {
        let points: Vec<f64> = (-760..=720).map(|i| f64::from(i) * 1.007).collect();
        let mut slice = points.clone();
        exp_slice(&mut slice);
        for (x, y) in points.iter().zip(&slice) {
            assert_eq!(exp(*x).to_bits(), y.to_bits(), "{x}");
        }
    }

    #[test]
    fn ln_1p_unit_is_close_to_libm() {
        let mut worst = (0.0, 0.0);
        for i in 0..1_000_000_u64 {
            let u = (i as f64 * 0.618_033_988_749_894_9).fract();
            for t in [u, u * u * u * u * u * u * u * u, u * 1e-200] {
                let error = ulps(ln_1p_unit(t), libm::log1p(t));
                if error > worst.0 {
                    worst = (error, t);
                }
            }
        }
        println!("ln_1p_unit: worst {} ulp at {}", worst.0, worst.1);
        assert!(worst.0 <= 2.0, "{worst:?}");
        assert_eq!((ln_1p_unit(0.0), ln_1p_unit(1.0)), (0.0, std::f64::consts::LN_2));
    }

    #[test]
    fn softplus_keeps_both_tails() {
        assert_eq!((softplus(800.0), softplus(-800.0)), (800.0, 0.0));
        assert_eq!(softplus(-600.0), exp(-600.0));
        assert_eq!(softplus(0.0), std::f64::consts::LN_2);
    }
}
