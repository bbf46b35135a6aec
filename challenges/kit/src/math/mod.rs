//! Elementary functions and sums with the same bits on every machine.
//!
//! The platform's `exp` and its kin differ between machines in their last bits, so scorers use these. [`exp`] and
//! [`softplus`] are written without branches, so that a loop over a slice becomes vector code; the rest are pure Rust
//! from `libm`.

mod exp;
mod sums;

pub(crate) use exp::exp_of_negative;
pub use exp::{exp, exp_slice, ln_1p_unit, softplus};
pub use sums::{axpy, dot, pairwise_sum, products, sum};

/// Natural logarithm.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// `ln(1 + x)`, accurate near 0.
#[must_use]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// `2^x`.
#[must_use]
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// `x^y`.
#[must_use]
pub fn powf(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Hyperbolic tangent.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    libm::tanh(x)
}

/// The logistic function `1 / (1 + exp(-x))`, accurate in both tails.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    let t = exp(-x.abs());
    let numerator = if x < 0.0 { t } else { 1.0 };
    numerator / (1.0 + t)
}

/// Log odds `ln(p / (1 - p))`; infinite at 0 and 1, NaN outside.
#[must_use]
pub fn logit(p: f64) -> f64 {
    ln(p) - ln_1p(-p)
}

/// Sine and cosine.
#[must_use]
pub fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// Distribution function of the standard normal; `norm_cdf(-x)` is the upper tail.
///
/// Half of `erfc(-x / sqrt 2)`, by the rational approximations of FreeBSD's msun (`s_erf.c`, Sun Microsystems, 1993), which
/// are within a unit in the last place. The lower tail keeps its relative precision: what is lost is the rounding of
/// the argument, x^2 units.
#[must_use]
pub fn norm_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_logit_are_inverse_and_keep_their_tails() {
        for x in [-700.0, -30.0, -1.0, 0.0, 0.3, 5.0] {
            assert!((logit(sigmoid(x)) - x).abs() <= 1e-12 * (1.0 + x.abs()), "{x}");
        }
        assert_eq!((sigmoid(f64::INFINITY), sigmoid(f64::NEG_INFINITY)), (1.0, 0.0));
        assert_eq!((logit(1.0), logit(0.0)), (f64::INFINITY, f64::NEG_INFINITY));
        assert!(sigmoid(f64::NAN).is_nan());
    }

    #[test]
    fn norm_cdf_knows_its_table() {
        let table = [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-3.0, 0.001_349_898_031_630_094_6),
            (-5.0, 2.866_515_718_791_939e-7),
            (-7.0, 1.279_812_543_885_835e-12),
        ];
        for (x, expected) in table {
            assert!((norm_cdf(x) / expected - 1.0).abs() < 1e-14, "{x}");
        }
    }
}
